#include "services/search/domain.hpp"

#include <gtest/gtest.h>

namespace shop::search {
namespace {

IndexedProduct lamp() {
  auto read = codec::from_json<IndexedProduct>(R"({
    "id":"0198c0de-0000-7000-8000-000000000001","sku":"LAMP-1","name":{"en":"Lamp \"A\"\n","fr":"Lampe","ar":"مصباح"},"description":{"fr":"Éclaire\u0001"},
    "isActive":true,"createdAt":"2025-09-02T19:41:22.777Z","updatedAt":"2025-09-03T00:00:00.000Z","averageRating":4.25,"reviewCount":2,"primaryImageUrl":null,
    "category_names":[{"en":"Lights","fr":"Lumières"}],"category_slugs":["lights"],"ancestor_slugs":["home"],
    "variants":[{"id":"0198c0de-0000-7000-8000-000000000002","attributes":{"Color":"Red"},"price":"1299.99","stockQuantity":25},
                {"id":"0198c0de-0000-7000-8000-000000000003","attributes":{},"price":8.9,"stockQuantity":0}],
    "variant_attributes_flat":["Color:Red"],
    "images":[{"id":"0198c0de-0000-7000-8000-000000000004","imageUrl":"http://gateway/images/x.png","altText":null,"isPrimary":true,"order":1}]})");
  return std::move(read).value();
}

std::string hit(const IndexedProduct& product, const View& view) {
  std::string out;
  append_hit(out, card_of(product), view);
  return out;
}

TEST(Card, BecomesTheHitOfTheContract) {
  EXPECT_EQ(hit(lamp(), {"en", {}}),
            R"({"id":"0198c0de-0000-7000-8000-000000000001","sku":"LAMP-1","name":"Lamp \"A\"\n","description":"Éclaire\u0001","isActive":true,)"
            R"("createdAt":"2025-09-02T19:41:22.777Z","updatedAt":"2025-09-03T00:00:00.000Z","averageRating":4.25,"reviewCount":2,"primaryImageUrl":null,)"
            R"("category_names_en":["Lights"],"category_names_fr":["Lumières"],"category_names_ar":["Lights"],"category_slugs":["lights"],)"
            R"("categories":[{"name":"Lights","slug":"lights"}],)"
            R"("variants":[{"id":"0198c0de-0000-7000-8000-000000000002","attributes":{"Color":"Red"},"price":"1299.99","stockQuantity":25},)"
            R"({"id":"0198c0de-0000-7000-8000-000000000003","attributes":{},"price":"8.9","stockQuantity":0}],)"
            R"("variant_attributes_flat":["Color:Red"],)"
            R"("images":[{"id":"0198c0de-0000-7000-8000-000000000004","imageUrl":"http://gateway/images/x.png","altText":null,"isPrimary":true,"order":1}]})");
}

TEST(Card, FollowsLanguageAndCurrency) {
  const auto euro = Conversion{Currency::parse("EUR").value(), Rate::parse("0.92").value()};
  const auto french = hit(lamp(), {"fr", euro});
  EXPECT_NE(french.find(R"("name":"Lampe")"), french.npos);
  EXPECT_NE(french.find(R"({"name":"Lumières","slug":"lights"})"), french.npos);
  EXPECT_NE(french.find(R"("price":1195.99,)"), french.npos);
  EXPECT_NE(french.find(R"("price":8.19,)"), french.npos);
  EXPECT_NE(hit(lamp(), {"ar", {}}).find(R"("name":"مصباح")"), std::string::npos);
  EXPECT_NE(hit(lamp(), {"de", {}}).find(R"("name":"Lamp \"A\"\n")"), std::string::npos);
}

TEST(Card, OfWhatIsNotGivenHoldsNullsAndEmptyLists) {
  auto bare = codec::from_json<IndexedProduct>(R"({"id":"0198c0de-0000-7000-8000-000000000001","sku":"S","name":{},"description":null})");
  ASSERT_TRUE(bare) << bare.error().message;
  const auto json = hit(*bare, {"en", {}});
  EXPECT_NE(json.find(R"("name":null,"description":null,"isActive":true)"), json.npos) << json;
  EXPECT_TRUE(json.ends_with(R"("category_names_ar":[],"category_slugs":[],"categories":[],"variants":[],"variant_attributes_flat":[],"images":[]})")) << json;
  EXPECT_TRUE(codec::parse_json(json));
}

TEST(Card, IsAlwaysReadableHoweverItIsDamaged) {
  const auto card = card_of(lamp());
  for (std::size_t end = 0; end <= card.size(); ++end) {
    std::string out;
    append_hit(out, std::string_view(card).substr(0, end), {"en", {}});
    EXPECT_LE(out.size(), card.size() + 200);
  }
}

TEST(WriteOf, KeepsWhatTheIndexSearches) {
  const auto write = write_of(lamp(), 7);
  EXPECT_EQ(write.version, 7);
  const auto& document = *write.document;
  EXPECT_EQ(document.rating_hundredths, 425);
  EXPECT_EQ(document.ancestor_slugs, (std::vector<std::string>{"home"}));
  EXPECT_EQ(document.variants[1].price.minor, 890);
  EXPECT_EQ(flat_attributes(document), (std::set<std::string>{"Color:Red"}));
}

TEST(Facets, SplitAtTheFirstColonAndLeaveEmptyRangesOut) {
  SearchResult result;
  result.categories = {{"lights", 3}};
  result.attributes = {{"Color:Red", 5}, {"Size:a:b", 4}, {"Color:Blue", 2}, {"odd", 1}};
  result.price_ranges = {1, 0, 2, 0, 3};
  EXPECT_EQ(codec::to_json(facets_of(result)),
            R"({"categories":[{"slug":"lights","count":3}],"attributes":[{"name":"Color","options":[{"value":"Red","count":5},{"value":"Blue","count":2}]},)"
            R"({"name":"Size","options":[{"value":"a:b","count":4}]},{"name":"odd","options":[{"value":"","count":1}]}],)"
            R"("price_ranges":[{"key":"*-50.0","to":50,"count":1},{"key":"100.0-200.0","from":100,"to":200,"count":2},)"
            R"({"key":"500.0-*","from":500,"count":3}]})");
}

}  // namespace
}  // namespace shop::search

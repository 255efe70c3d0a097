#include "adapters/elasticsearch/messages.hpp"

#include <gtest/gtest.h>

namespace shop::elasticsearch {
namespace {

SearchIndex::Write lamp() {
  SearchDocument document;
  document.id.uuid.bytes[15] = 1;
  document.sku = "LAMP-1";
  document.name = {{"en", "Lamp"}};
  document.variants = {{{}, {{"Color", "Red"}}, {1250}, 3}};
  document.source = "{}";
  return {document.id, 7, document};
}

TEST(BulkBody, HasTwoLinesForEachWriteAndAlias) {
  const auto body = bulk_body({lamp(), {lamp().id, 8, {}}}, {"products", "products-next"});
  EXPECT_EQ(std::ranges::count(body, '\n'), 8);
  EXPECT_TRUE(body.starts_with(
      R"({"index":{"_index":"products","_id":"00000000-0000-0000-0000-000000000001","version":7,"version_type":"external"}})"));
  EXPECT_NE(body.find(R"("_index":"products-next","_id":"00000000-0000-0000-0000-000000000001","version":8)"), body.npos);
  EXPECT_TRUE(body.ends_with("{\"id\":\"00000000-0000-0000-0000-000000000001\",\"isActive\":false}\n"));
}

TEST(BulkItems, MustBeAsManyAsWereSent) {
  const auto two = R"({"items":[{"index":{"status":201}},{"index":{"status":404,"error":{"type":"index_not_found_exception","reason":"no"}}}]})";
  const auto items = bulk_items(two, {"a", "b"}, 2);
  ASSERT_TRUE(items);
  EXPECT_EQ((*items)[1].alias, "b");
  EXPECT_EQ((*items)[1].status, 404);
  for (const auto* bad : {"", "[]", "{}", R"({"items":[]})", R"({"items":[{"delete":{"status":200}},{"index":{}}]})", R"({"items":[1,2]})"}) {
    EXPECT_EQ(bulk_items(bad, {"a", "b"}, 2).error().code, Code::bad_upstream) << bad;
  }
}

TEST(SearchAnswer, IsReadWithAndWithoutFacets) {
  const auto full = search_result(R"({"timed_out":false,"hits":{"total":{"value":2},"hits":[{"fields":{"source":["x"]}}]},"aggregations":{
      "categories":{"buckets":[{"key":"lights","doc_count":2}]},"attributes":{"buckets":[]},
      "price_ranges":{"buckets":[{"key":4,"doc_count":1},{"key":9,"doc_count":1}]}}})");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->sources, std::vector<std::string>{"x"});
  EXPECT_EQ(full->price_ranges, (std::array<std::int64_t, 5>{0, 0, 0, 0, 1}));
  EXPECT_EQ(search_result(R"({"timed_out":false,"hits":{"total":{"value":0}}})")->total, 0);
  EXPECT_EQ(search_result(R"({"timed_out":true,"hits":{"total":{"value":0}}})").error().code, Code::timed_out);
  EXPECT_EQ(search_result(R"({"hits":{"total":{"value":0}}})").error().code, Code::bad_upstream);
  EXPECT_EQ(search_result(R"({"timed_out":false,"hits":{"total":{"value":1},"hits":[{"fields":{"source":[]}}]}})").error().code, Code::bad_upstream);
}

TEST(SearchBody, HoldsVariantFiltersInOneNestedQuery) {
  SearchQuery query{.text = "lamp", .language = "fr", .min_price = Price{100}, .in_stock = true, .attributes = {{"Color", {"Red"}}}};
  const auto body = json::parse(search_body(query));
  const auto& filters = body.at_pointer("/query/bool/filter").as_array();
  ASSERT_EQ(filters.size(), 2u);
  EXPECT_EQ(filters[1].at_pointer("/nested/query/bool/filter").as_array().size(), 3u);
  EXPECT_EQ(body.at("track_total_hits").as_bool(), true);
}

}  // namespace
}  // namespace shop::elasticsearch

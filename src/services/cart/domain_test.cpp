#include "services/cart/domain.hpp"

#include <gtest/gtest.h>

namespace shop::cart {
namespace {

template <class Id>
Id id_of(unsigned char n) {
  Id id{};
  id.uuid.bytes[15] = n;
  return id;
}

CartItem line(unsigned char variant, std::int64_t quantity) {
  CartItem item;
  item.itemId = id_of<CartItemId>(variant);
  item.productId = id_of<ProductId>(1);
  item.variantId = id_of<VariantId>(variant);
  item.quantity = quantity;
  item.price = {100 * std::int64_t{variant}};
  return item;
}

NewItem request() {
  NewItem item;
  item.productId = id_of<ProductId>(1);
  item.variantId = id_of<VariantId>(2);
  item.quantity = {3};
  item.price = {{1999}};
  return item;
}

product::VariantDetails details() {
  product::VariantDetails d;
  d.price = {129999};
  d.productId = id_of<ProductId>(1);
  d.productName = {{"en", "Lamp"}, {"fr", "Lampe"}};
  d.attributes = {{"Color", "Red"}};
  d.imageUrl = "http://shop/images/x.png";
  return d;
}

std::string price_of(std::string_view json) {
  const auto read = codec::from_json<std::vector<GivenPrice>>(fmt::format("[{}]", json));
  return read ? codec::to_json(read->front()) : read.error().message;
}

TEST(ShownPrice, IsANumberRoundedHalfUp) {
  for (const auto& [in, out] : std::map<std::string, std::string>{{"1299.99", "1299.99"},
                                                                  {"\"8.90\"", "8.9"},
                                                                  {"0", "0"},
                                                                  {"1195.9908", "1195.99"},
                                                                  {"0.005", "0.01"},
                                                                  {"0.00499", "0"},
                                                                  {"19.989999999999998", "19.99"},
                                                                  {"99.995", "100"},
                                                                  {"100000.0", "100000"},
                                                                  {"1e5", "100000"},
                                                                  {"\"1.999\"", "2"},
                                                                  {"9007199254740.99", "9007199254740.99"}}) {
    EXPECT_EQ(price_of(in), out) << in;
  }
  for (const auto* bad : {"-1", "\"\"", "\"1e5\"", "\"1,5\"", "\"1.2.3\"", "true", "{}", "1e300", "\" 1\"", "\"0.00x\""}) {
    EXPECT_NE(price_of(bad).find("[0] must be"), std::string::npos) << bad << price_of(bad);
  }
}

TEST(ShownPrice, SurvivesTheStore) {
  for (std::int64_t minor : {0L, 1L, 10L, 99L, 129999L, 99'999'999L, 12'345'678'901'234L, max_minor - 1}) {
    const auto json = codec::to_json(ShownPrice{minor});
    EXPECT_EQ(codec::from_value<ShownPrice>(*codec::parse_json(json))->minor, minor) << json;
  }
}

TEST(Cart, IsTheContractsJson) {
  Cart cart = empty_cart(id_of<CartId>(9), Instant{1756842082777});
  EXPECT_EQ(codec::to_json(cart), R"({"id":"00000000-0000-0000-0000-000000000009","userId":null,"items":[],)"
                                  R"("createdAt":"2025-09-02T19:41:22.777Z","updatedAt":"2025-09-02T19:41:22.777Z"})");
  ASSERT_TRUE(add_line(cart, line(2, 1)));
  EXPECT_EQ(
      codec::to_json(cart.items.front()),
      R"({"itemId":"00000000-0000-0000-0000-000000000002","productId":"00000000-0000-0000-0000-000000000001",)"
      R"("variantId":"00000000-0000-0000-0000-000000000002","quantity":1,"price":2,)"
            R"("name":"","imageUrl":null,"attributes":{},"addedAt":"1970-01-01T00:00:00.000Z"})");
  const auto again = codec::from_json<Cart>(codec::to_json(cart));
  ASSERT_TRUE(again);
  EXPECT_EQ(codec::to_json(*again), codec::to_json(cart));
}

TEST(Cart, BelongsToItsUserOnceItHasOne) {
  Cart cart = empty_cart(id_of<CartId>(9), {});
  Principal user;
  user.kind = Principal::Kind::user;
  user.id = id_of<UserId>(5);
  EXPECT_TRUE(open_to(cart, Principal{}));
  EXPECT_TRUE(open_to(cart, user));
  cart.userId = user.id;
  EXPECT_TRUE(open_to(cart, user));
  EXPECT_FALSE(open_to(cart, Principal{}));
  user.id = id_of<UserId>(6);
  EXPECT_FALSE(open_to(cart, user));
  Principal service;
  service.kind = Principal::Kind::service;
  EXPECT_FALSE(open_to(cart, service));
}

TEST(Lines, OfTheSameGoodsAddUp) {
  Cart cart;
  ASSERT_TRUE(add_line(cart, line(2, 1)));
  auto more = line(2, 4);
  more.itemId = id_of<CartItemId>(77);
  more.price = {555};
  more.addedAt = Instant{1};
  ASSERT_TRUE(add_line(cart, more));
  ASSERT_TRUE(add_line(cart, line(3, 1)));
  ASSERT_EQ(cart.items.size(), 2);
  EXPECT_EQ(cart.items[0].quantity, 5);
  EXPECT_EQ(cart.items[0].itemId, id_of<CartItemId>(2));
  EXPECT_EQ(cart.items[0].addedAt, Instant{});
  EXPECT_EQ(cart.items[0].price, ShownPrice{555});
  auto other_product = line(2, 1);
  other_product.productId = id_of<ProductId>(8);
  ASSERT_TRUE(add_line(cart, other_product));
  EXPECT_EQ(cart.items.size(), 3);
}

TEST(Lines, HaveTheirLimits) {
  Cart cart;
  ASSERT_TRUE(add_line(cart, line(2, 999)));
  ASSERT_TRUE(add_line(cart, line(2, 1)));
  const auto refused = add_line(cart, line(2, 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().faults.front().path, "quantity");
  EXPECT_EQ(cart.items.front().quantity, 1000);
  for (std::size_t i = cart.items.size(); i < max_lines; ++i) {
    auto next = line(9, 1);
    next.variantId.uuid.bytes[0] = static_cast<std::uint8_t>(i >> 8);
    next.variantId.uuid.bytes[1] = static_cast<std::uint8_t>(i);
    ASSERT_TRUE(add_line(cart, next));
  }
  EXPECT_EQ(add_line(cart, line(10, 1)).error().name, "CART_FULL");
  EXPECT_FALSE(set_quantity(cart, id_of<CartItemId>(200), 1));
  EXPECT_TRUE(set_quantity(cart, id_of<CartItemId>(2), 7));
  EXPECT_EQ(cart.items.front().quantity, 7);
  EXPECT_TRUE(remove_line(cart, id_of<CartItemId>(2)));
  EXPECT_EQ(remove_line(cart, id_of<CartItemId>(2)).error().code, Code::not_found);
}

TEST(Merge, LosesNothingThatFits) {
  Cart guest, own;
  for (const auto& l : {line(2, 600), line(3, 1)}) ASSERT_TRUE(add_line(guest, l));
  for (const auto& l : {line(2, 600), line(4, 5)}) ASSERT_TRUE(add_line(own, l));
  merge(guest, own);
  ASSERT_EQ(guest.items.size(), 3);
  EXPECT_EQ(guest.items[0].quantity, 1000);
  EXPECT_EQ(guest.items[1].quantity, 1);
  EXPECT_EQ(guest.items[2].quantity, 5);
}

TEST(Line, ComesFromTheCatalogue) {
  auto asked = request();
  asked.name = Text<0, 200>{"Cheap"};
  const auto sold = line_as_sold(asked, details(), std::nullopt, "fr");
  ASSERT_TRUE(sold);
  EXPECT_EQ(sold->price, ShownPrice{129999});
  EXPECT_EQ(sold->name, "Lampe");
  EXPECT_EQ(sold->imageUrl, "http://shop/images/x.png");
  EXPECT_EQ(sold->attributes.at("Color"), "Red");
  EXPECT_EQ(sold->quantity, 3);
  EXPECT_EQ(line_as_sold(asked, details(), std::nullopt, "de")->name, "Lamp");
  const product::CurrencyRow dinar{*Currency::parse("DZD"), *Rate::parse("135.5"), false, {}};
  EXPECT_EQ(line_as_sold(asked, details(), dinar, "en")->price, ShownPrice{17614865});  // 176148.645, half up
}

TEST(Line, IsRefusedWhenTheCatalogueKnowsBetter) {
  EXPECT_EQ(line_as_sold(request(), std::nullopt, std::nullopt, "en").error().code, Code::not_found);
  auto inactive = details();
  inactive.isActive = false;
  EXPECT_EQ(line_as_sold(request(), inactive, std::nullopt, "en").error().code, Code::not_found);
  auto other = details();
  other.productId = id_of<ProductId>(3);
  EXPECT_EQ(line_as_sold(request(), other, std::nullopt, "en").error().code, Code::invalid);
  auto dear = details();
  dear.price = {max_minor};
  const product::CurrencyRow rate{*Currency::parse("DZD"), *Rate::parse("999999"), false, {}};
  EXPECT_EQ(line_as_sold(request(), dear, rate, "en").error().code, Code::invalid);
}

TEST(Line, ComesFromTheRequestWhenNobodyElseKnows) {
  auto asked = request();
  EXPECT_EQ(line_as_requested(asked).name, unknown_name);
  EXPECT_FALSE(line_as_requested(asked).imageUrl);
  asked.name = Text<0, 200>{"  Lamp "};
  asked.imageUrl = *GivenPicture::parse("");
  asked.attributes = GivenAttributes{{{"Size", "L"}}};
  const auto line = line_as_requested(asked);
  EXPECT_EQ(line.name, "Lamp");
  EXPECT_FALSE(line.imageUrl);
  EXPECT_EQ(line.price, ShownPrice{1999});
  EXPECT_EQ(line.attributes.at("Size"), "L");
  asked.imageUrl = *GivenPicture::parse("/images/x.png");
  EXPECT_EQ(line_as_requested(asked).imageUrl, "/images/x.png");
  for (const auto* bad : {"javascript:alert(1)", "data:text/html,x", "//evil.test/x", "x.png"}) EXPECT_FALSE(GivenPicture::parse(bad)) << bad;
}

TEST(NewItem, NamesEveryFaultAtOnce) {
  const auto read = codec::from_json<NewItem>(R"({"productId":"x","variantId":null,"quantity":0,"price":-1,"name":5,"attributes":[]})");
  ASSERT_FALSE(read);
  std::set<std::string> paths;
  for (const auto& fault : read.error().faults) paths.insert(fault.path);
  EXPECT_EQ(paths, (std::set<std::string>{"productId", "variantId", "quantity", "price", "name", "attributes"}));
  for (const auto* quantity : {"1001", "1.5", "\"2\"", "-1", "1e9", "null"}) {
    EXPECT_FALSE(codec::from_json<ChangeItem>(fmt::format(R"({{"quantity":{}}})", quantity))) << quantity;
  }
}

TEST(GivenAttributes, AreTakenAsText) {
  const auto read = codec::from_value<GivenAttributes>(*codec::parse_json(R"({"Color":"Red","Size":41,"Weight":1.5,"New":true,"None":null})"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->values, (product::Attributes{{"Color", "Red"}, {"Size", "41"}, {"Weight", "1.5"}, {"New", "true"}}));
  EXPECT_TRUE(codec::from_value<GivenAttributes>(*codec::parse_json(R"({"a":1.25e-300,"b":1e300})")));
  EXPECT_FALSE(codec::from_value<GivenAttributes>(*codec::parse_json(R"({"a":{}})")));
  EXPECT_FALSE(codec::from_value<GivenAttributes>(*codec::parse_json(fmt::format(R"({{"a":"{}"}})", std::string(201, 'x')))));
}

}  // namespace
}  // namespace shop::cart

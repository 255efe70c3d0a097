// What cart-service says on the wire (contract, section 7). What the store keeps is the same Cart.
#pragma once

#include "codec/forms.hpp"
#include "codec/query_reader.hpp"
#include "services/product/api.hpp"

namespace shop::cart {

// A price for display: a JSON number, in the currency in which the line was added.
struct ShownPrice {
  std::int64_t minor = 0;

  friend bool operator==(const ShownPrice&, const ShownPrice&) = default;
};

// What a client says of a price: a number or a decimal as a string, and more than two decimals, as arithmetic on floating point
// leaves them; rounded half up.
struct GivenPrice {
  ShownPrice price;
};

// The address of a picture, or nothing said.
struct GivenPicture {
  std::string value;

  static std::expected<GivenPicture, std::string> parse(std::string_view text);
  const std::string& text() const { return value; }

  static constexpr std::string_view schema_pattern = R"(^(https?://[!-~]+|/([!-.0-~][!-~]*)?)?$)";
  static constexpr std::int64_t schema_max = 2000;
};

// What a client says of a variant: at most 30 names and values of at most 200 characters. Numbers and truth values count as
// their text, null as nothing.
struct GivenAttributes {
  product::Attributes values;
};

inline constexpr std::int64_t max_quantity = 1000;
using Quantity = codec::Bounded<1, max_quantity>;

// ":cartId" where the contract answers 400 to what is no UUID.
struct CartKey {
  CartId id;

  static std::expected<CartKey, std::string> parse(std::string_view text);
  std::string text() const { return id.text(); }

  static constexpr bool refused_as_input = true;
  static constexpr std::string_view schema_format = "uuid";
};

// --- answers

struct CartItem {
  CartItemId itemId;
  ProductId productId;
  VariantId variantId;
  std::int64_t quantity = 1;
  ShownPrice price;
  std::string name;
  std::optional<std::string> imageUrl;
  product::Attributes attributes;
  Instant addedAt;
};
BOOST_DESCRIBE_STRUCT(CartItem, (), (itemId, productId, variantId, quantity, price, name, imageUrl, attributes, addedAt))

struct Cart {
  CartId id;
  std::optional<UserId> userId;
  std::vector<CartItem> items;
  Instant createdAt, updatedAt;
};
BOOST_DESCRIBE_STRUCT(Cart, (), (id, userId, items, createdAt, updatedAt))

// The cart; or, when it is not known, a message and an empty one that nobody keeps.
struct Associated {
  codec::LeftOut<std::string> message;
  CartId id;
  std::optional<UserId> userId;
  std::vector<CartItem> items;
  codec::LeftOut<Instant> createdAt, updatedAt;
};
BOOST_DESCRIBE_STRUCT(Associated, (), (message, id, userId, items, createdAt, updatedAt))

// --- requests

struct NewCart {};  // nothing in it counts
BOOST_DESCRIBE_STRUCT(NewCart, (), ())

struct CartQuery {
  std::optional<CartId> cartId;
};
BOOST_DESCRIBE_STRUCT(CartQuery, (), (cartId))

struct NewItem {
  ProductId productId;
  VariantId variantId;
  Quantity quantity;
  GivenPrice price;
  std::optional<Text<0, 200>> name;
  std::optional<GivenPicture> imageUrl;
  std::optional<GivenAttributes> attributes;
};
BOOST_DESCRIBE_STRUCT(NewItem, (), (productId, variantId, quantity, price, name, imageUrl, attributes))

struct ChangeItem {
  Quantity quantity;
};
BOOST_DESCRIBE_STRUCT(ChangeItem, (), (quantity))

struct AssociateRequest {
  CartId cartId;
  UserId userId;
};
BOOST_DESCRIBE_STRUCT(AssociateRequest, (), (cartId, userId))

}  // namespace shop::cart

template <>
struct shop::codec::JsonForm<shop::cart::ShownPrice> {
  static void write(std::string& out, const cart::ShownPrice& price);
  static std::optional<std::string> read(const json::value& in, cart::ShownPrice& out);
  static json::object schema() { return {{"type", "number"}, {"minimum", 0}}; }
};

template <>
struct shop::codec::JsonForm<shop::cart::GivenPrice> {
  static void write(std::string& out, const cart::GivenPrice& given) { write_json(out, given.price); }
  static std::optional<std::string> read(const json::value& in, cart::GivenPrice& out);
  static json::object schema() {
    return {{"anyOf", {{{"type", "number"}, {"minimum", 0}, {"maximum", 1e12}}, {{"type", "string"}, {"pattern", R"(^\d{1,13}(\.\d+)?$)"}}}}};
  }
};
template <>
struct shop::codec::JsonForm<shop::cart::GivenAttributes> {
  static void write(std::string& out, const cart::GivenAttributes& attributes) { write_json(out, attributes.values); }
  static std::optional<std::string> read(const json::value& in, cart::GivenAttributes& out);
  static json::object schema() {
    return {{"type", "object"}, {"maxProperties", 30}, {"propertyNames", {{"minLength", 1}, {"maxLength", 200}}},
            {"additionalProperties", {{"type", {"string", "number", "boolean", "null"}}, {"maxLength", 200}}}};
  }
};

#include "services/cart/domain.hpp"

#include <algorithm>

namespace shop::cart {
namespace {

CartItem line_of(const NewItem& request) {
  CartItem line;
  line.productId = request.productId;
  line.variantId = request.variantId;
  line.quantity = request.quantity;
  return line;
}

std::string name_or_placeholder(std::string_view name, const NewItem& request) {
  if (name.empty() && request.name) name = trimmed(request.name->value);
  return std::string(name.empty() ? unknown_name : name);
}

auto same_goods(const CartItem& line) {
  return [&line](const CartItem& other) { return other.productId == line.productId && other.variantId == line.variantId; };
}

Failure no_line() { return fail(Code::not_found, "Item not found in the cart."); }

}  // namespace

std::expected<CartKey, std::string> CartKey::parse(std::string_view text) {
  auto id = CartId::parse(text);
  if (!id) return std::unexpected(id.error());
  return CartKey{*id};
}

std::expected<GivenPicture, std::string> GivenPicture::parse(std::string_view text) {
  if (text.empty()) return GivenPicture{};
  auto address = Url::parse(text);
  if (!address) return std::unexpected(address.error());
  return GivenPicture{std::move(address->value)};
}

Cart empty_cart(const CartId& id, Instant now) { return {id, std::nullopt, {}, now, now}; }

bool open_to(const Cart& cart, const Principal& caller) { return !cart.userId || caller.is(cart.userId); }

CartItem line_as_requested(const NewItem& request) {
  auto line = line_of(request);
  line.price = request.price.price;
  line.name = name_or_placeholder({}, request);
  if (request.imageUrl && !request.imageUrl->value.empty()) line.imageUrl = request.imageUrl->value;
  if (request.attributes) line.attributes = request.attributes->values;
  return line;
}

Result<CartItem> line_as_sold(const NewItem& request, const std::optional<product::VariantDetails>& details,
                              const std::optional<product::CurrencyRow>& rate, std::string_view language) {
  if (!details || !details->isActive) return fail(Code::not_found, "This variant is not sold.", "UNKNOWN_VARIANT");
  if (details->productId != request.productId) return fail(codec::faulty({{"variantId", "is a variant of another product"}}));
  Money price{details->price.minor, details->baseCurrency};
  if (rate) {
    TRY(price, convert(price, rate->rateVsBase, rate->code));
  }
  auto line = line_of(request);
  line.price.minor = price.minor;
  line.name = name_or_placeholder(localised(details->productName, language), request);
  line.imageUrl = details->imageUrl;
  line.attributes = details->attributes;
  return line;
}

Result<void> add_line(Cart& cart, CartItem line) {
  const auto present = std::ranges::find_if(cart.items, same_goods(line));
  if (present == cart.items.end()) {
    if (cart.items.size() >= max_lines) {
      return fail(Code::invalid, fmt::format("A cart holds at most {} different lines.", max_lines), "CART_FULL");
    }
    cart.items.push_back(std::move(line));
    return {};
  }
  const auto quantity = present->quantity + line.quantity;
  if (quantity > max_quantity) {
    return fail(codec::faulty({{"quantity", fmt::format("is too high: {} of this are in the cart, and {} are the most", present->quantity, max_quantity)}}));
  }
  line.itemId = present->itemId;
  line.addedAt = present->addedAt;
  line.quantity = quantity;
  *present = std::move(line);
  return {};
}

Result<void> set_quantity(Cart& cart, const CartItemId& item, std::int64_t quantity) {
  const auto line = std::ranges::find(cart.items, item, &CartItem::itemId);
  if (line == cart.items.end()) return no_line();
  line->quantity = quantity;
  return {};
}

Result<void> remove_line(Cart& cart, const CartItemId& item) {
  const auto removed = std::erase_if(cart.items, [&](const CartItem& line) { return line.itemId == item; });
  return removed > 0 ? Result<void>() : no_line();
}

void merge(Cart& into, const Cart& from) {
  for (const auto& line : from.items) {
    const auto present = std::ranges::find_if(into.items, same_goods(line));
    if (present != into.items.end()) present->quantity = std::min(max_quantity, present->quantity + line.quantity);
    else if (into.items.size() < max_lines) into.items.push_back(line);
  }
}

}  // namespace shop::cart

namespace shop::codec {

void JsonForm<cart::ShownPrice>::write(std::string& out, const cart::ShownPrice& price) { out += Price{price.minor}.text(); }

std::optional<std::string> JsonForm<cart::ShownPrice>::read(const json::value& in, cart::ShownPrice& out) {
  const auto parsed = Price::parse(text_of_number(in));
  if (!parsed) return parsed.error();
  out.minor = parsed->minor;
  return std::nullopt;
}

std::optional<std::string> JsonForm<cart::GivenPrice>::read(const json::value& in, cart::GivenPrice& out) {
  const auto* s = in.if_string();
  std::string text = s ? std::string(*s) : text_of_number(in);
  bool up = false;
  if (const auto point = text.find('.'); point != text.npos && text.size() > point + 3) {
    const auto surplus = std::string_view(text).substr(point + 3);
    if (!std::ranges::all_of(surplus, [](char c) { return c >= '0' && c <= '9'; })) return "must be a decimal";
    up = surplus.front() >= '5';
    text.resize(point + 3);
  }
  const auto parsed = Price::parse(text);
  if (!parsed) return parsed.error();
  out.price.minor = parsed->minor + (up ? 1 : 0);
  return std::nullopt;
}

std::optional<std::string> JsonForm<cart::GivenAttributes>::read(const json::value& in, cart::GivenAttributes& out) {
  const auto* object = in.if_object();
  if (!object) return "must be an object of strings";
  if (object->size() > 30) return "must have at most 30 attributes";
  for (const auto& [key, value] : *object) {
    if (value.is_null()) continue;
    if (value.is_structured()) return "must be an object of strings";
    const auto* given = value.if_string();
    std::string text = given ? std::string(*given) : value.is_number() ? text_of_number(value) : json::serialize(value);
    if (value.is_number() && text.size() > 40) text = json::serialize(value);  // the exponent says it shorter
    const auto name_length = utf8_length(std::string_view(key)), length = utf8_length(text);
    if (name_length < 1 || name_length > 200 || length < 0 || length > 200) {
      return "must have names of 1 to 200 and values of at most 200 characters";
    }
    out.values[std::string(key)] = std::move(text);
  }
  return std::nullopt;
}

}  // namespace shop::codec

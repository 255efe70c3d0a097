// A cart as a value: its lines, who may see it, and how two become one.
#pragma once

#include "base/principal.hpp"
#include "services/cart/api.hpp"

namespace shop::cart {

inline constexpr std::size_t max_lines = 1000, max_bytes = 1024 * 1024;  // of a cart
inline constexpr std::string_view unknown_name = "Product Name Unavailable";

Cart empty_cart(const CartId& id, Instant now);

// A cart without user is open to whoever knows its id, any other to its user alone.
bool open_to(const Cart& cart, const Principal& caller);

// What the request says of a line; used when the catalogue cannot be asked.
CartItem line_as_requested(const NewItem& request);

// The same from the catalogue. not_found: no such variant, or its product is not sold; invalid: it is another product's, or the
// price leaves the range. `rate`: into the currency that the visitor sees; nothing: the base currency.
Result<CartItem> line_as_sold(const NewItem& request, const std::optional<product::VariantDetails>& details,
                              const std::optional<product::CurrencyRow>& rate, std::string_view language);

// Product and variant make a line: a second one adds its quantity, and what it says of price, name and picture is newer.
// invalid: more than max_quantity of one, or more than max_lines.
Result<void> add_line(Cart& cart, CartItem line);

// not_found: there is no such line.
Result<void> set_quantity(Cart& cart, const CartItemId& item, std::int64_t quantity);
Result<void> remove_line(Cart& cart, const CartItemId& item);

// Lines of `from` join those of `into`: quantities are added up to max_quantity, lines beyond max_lines stay out.
void merge(Cart& into, const Cart& from);

}  // namespace shop::cart

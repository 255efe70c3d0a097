#include "services/cart/handlers.hpp"

namespace shop::cart {

using enum Method;
using net::recognised;
using net::signed_in;

// clang-format off
const net::RouteTable<Handlers>& routes() {
  static const auto holder = recognised().with("an associated cart is its user's alone");
  static const auto user = signed_in().with("userId must be the token's");
  static const net::RouteTable<Handlers> table{
      {post, "/", holder, &Handlers::create, "Open a cart", {201, 200}, {404}},
      {post, "/associate", user, &Handlers::associate, "Make a guest's cart the user's, with the lines of the one before", {200}, {403, 404}},
      {get, "/:cartId", holder, &Handlers::cart, "The cart, made when it is not known", {200, 201}, {404}},
      {del, "/:cartId", holder, &Handlers::remove, "Delete a cart", {204}, {404}},
      {post, "/:cartId/items", holder, &Handlers::add_item, "Add goods; more of the same adds up", {200}, {404, 422}},
      {put, "/:cartId/items/:itemId", holder, &Handlers::change_item, "Set the quantity of a line", {200}, {404}},
      {del, "/:cartId/items/:itemId", holder, &Handlers::remove_item, "Remove a line", {200}, {404}},
      {del, "/:cartId/items", holder, &Handlers::clear, "Remove every line", {200}, {404}},
  };
  return table;
}
// clang-format on

}  // namespace shop::cart

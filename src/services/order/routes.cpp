#include "services/order/handlers.hpp"

namespace shop::order {

using enum Method;
using enum Permission;
using net::anyone;
using net::internal_only;
using net::needs;
using net::visitor;

// clang-format off
const net::RouteTable<Handlers>& routes() {
  static const net::RouteTable<Handlers> table{
      {post, "/", visitor(), &Handlers::place, "Place an order; a repeated Idempotency-Key returns the first", {201}, {409, 422}},
      {get, "/", needs(read_order), &Handlers::list, "All orders, filtered and paged", {200}, {}},
      {get, "/my-orders", needs(read_my_orders), &Handlers::my_orders, "One's own orders, newest first", {200}, {}},
      {get, "/:id", visitor().with("`read:order`, owner or order token (query guest_token)"), &Handlers::order, "One order", {200}, {404}},
      {post, "/guest-lookup", anyone(), &Handlers::guest_lookup, "An order by its id and its token or e-mail", {200}, {404, 429}},
      {post, "/:id/cancel", visitor().with("`update:order`, owner or order token (query guest_token)"), &Handlers::cancel,
       "Cancel an order that is pending or paid", {200}, {404, 409}},
      {put, "/:id/status", needs(update_order), &Handlers::set_status, "Move an order to another state", {200}, {404, 409}},
      {get, "/internal/verify-purchase", internal_only(), &Handlers::verify_purchase, "Whether a user received a product", {200}, {}},
      {post, "/internal/orders/settle", internal_only(), &Handlers::settle_all, "The same for many, in one transaction", {200}, {}},
      {post, "/internal/orders/:id/settle", internal_only(), &Handlers::settle, "Whether an order was placed; if not, it never will be", {200}, {}},
  };
  return table;
}
// clang-format on

}  // namespace shop::order

// HTTP <-> use case.
#pragma once

#include "net/route.hpp"
#include "services/cart/service.hpp"

namespace shop::cart {

using net::Body;
using net::Call;
using net::OptionalBody;
using net::Query;
using net::Rendered;

class Handlers {
 public:
  explicit Handlers(CartService& service) : service_(service) {}

  Task<Result<Rendered<Cart>>> create(Call& call, Query<CartQuery> query, OptionalBody<NewCart> body);
  Task<Result<Rendered<Cart>>> cart(Call& call, CartKey cart);
  Task<Result<Rendered<Cart>>> add_item(Call& call, CartKey cart, Body<NewItem> body);
  Task<Result<Rendered<Cart>>> change_item(Call& call, CartKey cart, CartItemId item, Body<ChangeItem> body);
  Task<Result<Rendered<Cart>>> remove_item(Call& call, CartId cart, CartItemId item);
  Task<Result<Rendered<Cart>>> clear(Call& call, CartId cart);
  Task<Result<void>> remove(Call& call, CartId cart);
  Task<Result<Associated>> associate(Call& call, Body<AssociateRequest> body);

 private:
  CartService& service_;
};

const net::RouteTable<Handlers>& routes();

}  // namespace shop::cart

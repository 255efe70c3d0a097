#include "services/cart/handlers.hpp"

#include "codec/base64.hpp"
#include "runtime/idempotency.hpp"
#include "runtime/tokens.hpp"

namespace shop::cart {
namespace {

Rendered<Cart> rendered(std::string json) { return {std::make_shared<const std::string>(std::move(json))}; }

}  // namespace

Task<Result<Rendered<Cart>>> Handlers::create(Call& call, Query<CartQuery> query, OptionalBody<NewCart>) {
  CO_TRY(auto shown, co_await service_.open(call.context, query->cartId, call.caller));
  call.status = shown.created ? 201 : 200;
  co_return rendered(std::move(shown.json));
}

Task<Result<Rendered<Cart>>> Handlers::cart(Call& call, CartKey cart) {
  CO_TRY(auto shown, co_await service_.open(call.context, cart.id, call.caller));
  call.status = shown.created ? 201 : 200;
  co_return rendered(std::move(shown.json));
}

Task<Result<Rendered<Cart>>> Handlers::add_item(Call& call, CartKey cart, Body<NewItem> body) {
  CO_TRY(const auto currency, call.currency());
  CO_TRY(const auto key, idempotency_header(call.request));
  const auto whole = key ? fmt::format("{}\n{}\n{}", call.request.body, currency ? currency->text() : "", call.language) : std::string();
  const CartService::Adding adding{body.value, currency, call.language, key, key ? codec::hex(sha256(whole)) : std::string()};
  CO_TRY(auto json, co_await service_.add(call.context, cart.id, call.caller, adding));
  co_return rendered(std::move(json));
}

Task<Result<Rendered<Cart>>> Handlers::change_item(Call& call, CartKey cart, CartItemId item, Body<ChangeItem> body) {
  CO_TRY(auto json, co_await service_.set_quantity(call.context, cart.id, call.caller, item, body->quantity));
  co_return rendered(std::move(json));
}

Task<Result<Rendered<Cart>>> Handlers::remove_item(Call& call, CartId cart, CartItemId item) {
  CO_TRY(auto json, co_await service_.remove_line(call.context, cart, call.caller, item));
  co_return rendered(std::move(json));
}

Task<Result<Rendered<Cart>>> Handlers::clear(Call& call, CartId cart) {
  CO_TRY(auto json, co_await service_.clear(call.context, cart, call.caller));
  co_return rendered(std::move(json));
}

Task<Result<void>> Handlers::remove(Call& call, CartId cart) { co_return co_await service_.remove(call.context, cart, call.caller); }

Task<Result<Associated>> Handlers::associate(Call& call, Body<AssociateRequest> body) {
  if (!call.caller.is(body->userId)) co_return fail(Code::forbidden, "You can only take a cart for yourself.");
  CO_TRY(auto cart, co_await service_.associate(call.context, body->cartId, call.caller));
  if (!cart) co_return Associated{{"This cart is not known; there was nothing to take over."}, body->cartId, std::nullopt, {}, {}, {}};
  co_return Associated{{}, cart->id, cart->userId, std::move(cart->items), {cart->createdAt}, {cart->updatedAt}};
}

}  // namespace shop::cart

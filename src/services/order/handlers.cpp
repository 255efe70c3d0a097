#include "services/order/handlers.hpp"

#include "codec/base64.hpp"
#include "runtime/tokens.hpp"

namespace shop::order {
namespace {

Asker asker_of(const Call& call, const TokenQuery& query) {
  return {call.caller, query.guest_token ? query.guest_token->value : std::string(), call.language};
}

}  // namespace

void add_faults(const OrderRequest& request, const Call& call, codec::Faults& faults) {
  for (auto& fault : further_faults(request, call.caller.anonymous())) {
    if (!faults.names(fault.path)) faults.add_at(std::move(fault.path), std::move(fault.message));
  }
}

Task<Result<Rendered<Order>>> Handlers::place(Call& call, Body<OrderRequest> body) {
  CO_TRY(const auto currency, call.currency());
  CO_TRY(const auto key, idempotency_header(call.request));
  const OrderService::Placing placing{
      body.value, call.caller, currency, call.language, key,
      key ? codec::hex(sha256(call.request.body + "\n" + (currency ? currency->text() : ""))) : std::string()};
  CO_TRY(auto order, co_await service_.place(call.context, placing));
  co_return Rendered<Order>{std::make_shared<const std::string>(std::move(order))};
}

Task<Result<OrderPage>> Handlers::list(Call& call, Query<OrderQuery> query) {
  co_return co_await service_.list(call.context, query.value, call.language);
}

Task<Result<OrderPage>> Handlers::my_orders(Call& call, Query<PageQuery> query) {
  const Reader reader{call.language, call.caller.may(Permission::read_order), true};
  co_return co_await service_.my_orders(call.context, call.caller.id, query.value, reader);
}

Task<Result<Order>> Handlers::order(Call& call, OrderId id, Query<TokenQuery> query) {
  co_return co_await service_.order(call.context, id, asker_of(call, query.value));
}

Task<Result<Order>> Handlers::guest_lookup(Call& call, Body<GuestLookup> body) {
  co_return co_await service_.guest_lookup(call.context, body.value, call.language, call.client);
}

Task<Result<Order>> Handlers::cancel(Call& call, OrderId id, Query<TokenQuery> query) {
  co_return co_await service_.cancel(call.context, id, asker_of(call, query.value));
}

Task<Result<Order>> Handlers::set_status(Call& call, OrderId id, Body<StatusRequest> body) {
  co_return co_await service_.set_status(call.context, id, body->status, asker_of(call, {}));
}

Task<Result<Verified>> Handlers::verify_purchase(Call& call, Query<PurchaseQuery> query) {
  std::vector<Fault> faults;
  if (!query->userId) faults.push_back({"userId", "is missing"});
  if (!query->productId) faults.push_back({"productId", "is missing"});
  if (!faults.empty()) co_return fail(codec::faulty(std::move(faults)));
  co_return co_await service_.verify_purchase(call.context, *query->userId, *query->productId);
}

Task<Result<Settlement>> Handlers::settle(Call& call, OrderId id) { co_return co_await service_.settle(call.context, id); }

Task<Result<Settlements>> Handlers::settle_all(Call& call, Body<SettleRequest> request) {
  co_return co_await service_.settle_all(call.context, request.value);
}

}  // namespace shop::order

// HTTP <-> use case.
#pragma once

#include "net/route.hpp"
#include "services/order/service.hpp"

namespace shop::order {

using net::Body;
using net::Call;
using net::Query;
using net::Rendered;

void add_faults(const OrderRequest& request, const Call& call, codec::Faults& faults);

class Handlers {
 public:
  explicit Handlers(OrderService& service) : service_(service) {}

  Task<Result<Rendered<Order>>> place(Call& call, Body<OrderRequest> body);
  Task<Result<OrderPage>> list(Call& call, Query<OrderQuery> query);
  Task<Result<OrderPage>> my_orders(Call& call, Query<PageQuery> query);
  Task<Result<Order>> order(Call& call, OrderId id, Query<TokenQuery> query);
  Task<Result<Order>> guest_lookup(Call& call, Body<GuestLookup> body);
  Task<Result<Order>> cancel(Call& call, OrderId id, Query<TokenQuery> query);
  Task<Result<Order>> set_status(Call& call, OrderId id, Body<StatusRequest> body);
  Task<Result<Verified>> verify_purchase(Call& call, Query<PurchaseQuery> query);
  Task<Result<Settlement>> settle(Call& call, OrderId id);
  Task<Result<Settlements>> settle_all(Call& call, Body<SettleRequest> request);

 private:
  OrderService& service_;
};

const net::RouteTable<Handlers>& routes();

}  // namespace shop::order

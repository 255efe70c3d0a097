// The peers of product-service.
#pragma once

#include "runtime/peer.hpp"
#include "services/order/api.hpp"

namespace shop::product {

class OrderPeer {
 public:
  explicit OrderPeer(ServiceCaller& caller) : peer_(caller, "order-service") {}

  // Whether each order was placed. One that was not never will be: order-service remembers that it was given up.
  Task<Result<order::Settlements>> settle(const Context& context, std::vector<OrderId> ids) const {
    return peer_.post<order::Settlements>(context, "/internal/orders/settle", order::SettleRequest{std::move(ids)});
  }

 private:
  Peer peer_;
};

}  // namespace shop::product

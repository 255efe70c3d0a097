// The peers of product-service.
#pragma once

#include "runtime/peer.hpp"
#include "services/order/api.hpp"

namespace shop::product {

class OrderPeer {
 public:
  explicit OrderPeer(ServiceCaller& caller) : peer_(caller, "order-service") {}

  // Whether the order was placed. If it was not, it never will be: order-service remembers that it was given up.
  Task<Result<order::Settlement>> settle(const Context& context, OrderId id) const {
    return peer_.command<order::Settlement>(context, "/internal/orders/" + id.text() + "/settle");
  }

 private:
  Peer peer_;
};

}  // namespace shop::product

// The peers of order-service.
#pragma once

#include "runtime/peer.hpp"
#include "services/product/api.hpp"

namespace shop::order {

class StockPeer {
 public:
  explicit StockPeer(ServiceCaller& caller) : peer_(caller, "product-service") {}

  // All lines or none, once for each order; answers with the catalogue's prices at that moment.
  Task<Result<product::ReserveAnswer>> reserve(const Context& context, product::ReserveRequest request) const {
    return peer_.post<product::ReserveAnswer>(context, "/internal/stock/reserve", request);
  }

  // Gives back once whatever the order holds; a reservation that is still under way will take nothing.
  Task<Result<product::ReleaseAnswer>> release(const Context& context, OrderId order, std::string reason) const {
    return peer_.post<product::ReleaseAnswer>(context, "/internal/stock/release",
                                              product::ReleaseRequest{order, {std::move(reason)}});
  }

 private:
  Peer peer_;
};

}  // namespace shop::order

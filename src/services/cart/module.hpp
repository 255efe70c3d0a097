// cart-service as a program composes it.
#pragma once

#include "runtime/service.hpp"
#include "services/cart/handlers.hpp"

namespace shop::cart {

class CartModule final : public Service {
 public:
  CartModule(const ServiceWorld& world, Settings settings, KeyValueStore& carts);

  net::Router& router() override { return router_; }
  Health& health() override { return health_; }
  std::vector<Loop*> loops() override { return {}; }
  Task<Result<void>> prepare(const Context& context) override { return service_.ping(context); }
  void abandon() override { service_.abandon(); }

 private:
  CartService service_;
  Handlers handlers_;
  Health health_;
  net::Router router_;
};

}  // namespace shop::cart

// order-service as a program composes it.
#pragma once

#include "runtime/service.hpp"
#include "services/order/handlers.hpp"

namespace shop::order {

class OrderModule final : public Service {
 public:
  OrderModule(const ServiceWorld& world, Settings settings, Database& database, KeyValueStore& advice);

  net::Router& router() override { return router_; }
  Health& health() override { return health_; }
  std::vector<Loop*> loops() override { return {&outbox_.relay(), &consumer_.loop(), &janitor_}; }
  Task<Result<void>> prepare(const Context& context) override;
  void abandon() override { service_.abandon(); }

 private:
  Task<Result<void>> handle(const Context& context, const std::vector<ReceivedEvent>& events);

  Database& database_;
  Outbox outbox_;
  OrderService service_;
  Handlers handlers_;
  Consumer consumer_;
  Loop janitor_;
  Health health_;
  net::Router router_;
};

}  // namespace shop::order

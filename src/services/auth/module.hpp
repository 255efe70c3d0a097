// auth-service as a program composes it.
#pragma once

#include "runtime/service.hpp"
#include "services/auth/handlers.hpp"

namespace shop::auth {

class AuthModule final : public Service {
 public:
  AuthModule(const ServiceWorld& world, Settings settings, Database& database, KeyValueStore& limits, PasswordHasher& hasher);

  net::Router& router() override { return router_; }
  Health& health() override { return health_; }
  std::vector<Loop*> loops() override { return {&outbox_.relay()}; }
  Task<Result<void>> prepare(const Context& context) override { return service_.prepare(context); }

 private:
  RateLimiter limiter_;
  Outbox outbox_;
  AuthService service_;
  Handlers handlers_;
  Health health_;
  net::Router router_;
};

}  // namespace shop::auth

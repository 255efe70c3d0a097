#include "services/auth/module.hpp"

namespace shop::auth {

AuthModule::AuthModule(const ServiceWorld& world, Settings settings, Database& database, KeyValueStore& limits, PasswordHasher& hasher)
    : limiter_(limits),
      outbox_("auth-service", database, world.events, world.clock, world.random),
      service_(std::move(settings), database, outbox_, hasher, limiter_, world.clock, world.random),
      handlers_(service_),
      health_("auth-service", world.clock),
      router_("auth-service", "/auth", service_) {
  router_.mount(routes(), handlers_);
  router_.mount(Health::routes(), health_);
  health_.depends_on("database", [&database](const Context& context) { return database.ping(context); });
  health_.uses("events", [&log = world.events](const Context& context) { return log.ping(context); });
  watch_outbox(world, "auth-service", outbox_);
}

}  // namespace shop::auth

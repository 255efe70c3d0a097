#include "services/order/module.hpp"

namespace shop::order {

OrderModule::OrderModule(const ServiceWorld& world, Settings settings, Database& database, KeyValueStore& advice)
    : database_(database),
      outbox_("order-service", database, world.events, world.clock, world.random),
      service_(settings, database, outbox_, StockPeer(world.peers), advice, world.clock, world.random),
      handlers_(service_),
      consumer_({.service = "order-service", .group = "order-service-group", .topics = {"auth_events"}}, world.events, world.clock,
                [this](const Context& context, const std::vector<ReceivedEvent>& events) { return handle(context, events); }),
      janitor_(world.clock, {.name = "order janitor", .period = minutes(10)},
               [this, &clock = world.clock](const Context& context) { return forget_old_claims(database_, context, clock.wall()); }),
      health_("order-service", world.clock),
      router_("order-service", "/orders", world.authenticator) {
  router_.mount(routes(), handlers_);
  router_.mount(Health::routes(), health_);
  health_.depends_on("database", [&database](const Context& context) { return database.ping(context); });
  health_.uses("events", [&log = world.events](const Context& context) { return log.ping(context); });
  watch_outbox(world, "order-service", outbox_);
  watch_consumer(world, "order-service", consumer_);
}

Task<Result<void>> OrderModule::prepare(const Context& context) {
  return migrate(database_, context, "order", store::migrations);
}

}  // namespace shop::order

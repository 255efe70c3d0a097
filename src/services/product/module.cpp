#include "services/product/module.hpp"

namespace shop::product {
namespace {

constexpr hours inbox_age{24 * 7};

Task<Result<bool>> forget_old(Database& database, const Context& context, Instant now) {
  CO_CHECK(co_await write(database, context, forget_processed, now - inbox_age));
  co_return co_await forget_old_claims(database, context, now);
}

}  // namespace

ProductModule::ProductModule(const ServiceWorld& world, Settings settings, Database& database)
    : catalogue_(database, world.clock, settings.catalogue),
      outbox_("product-service", database, world.events, world.clock, world.random),
      publisher_(database, catalogue_, outbox_, world.clock, world.random),
      tools_{database, catalogue_, outbox_, world.clock, world.random, publisher_.loop()},
      products_(tools_),
      categories_(tools_),
      stock_(tools_, settings.stock, OrderPeer(world.peers)),
      currencies_(tools_),
      promotions_(tools_),
      handlers_({products_, categories_, stock_, currencies_, promotions_, demo_}),
      consumer_({.service = "product-service", .group = "product-service-group", .topics = {"order_events", "review_events"}}, world.events,
                world.clock, [this](const Context& context, const std::vector<ReceivedEvent>& events) { return handle(context, events); }),
      sweeper_(world.clock, {.name = "stock sweeper", .period = milliseconds(1000)},
               [this](const Context& context) { return stock_.sweep(context); }),
      janitor_(world.clock, {.name = "product janitor", .period = minutes(10)},
               [this](const Context& context) { return forget_old(tools_.database, context, tools_.clock.wall()); }),
      health_("product-service", world.clock),
      router_("product-service", "/products", world.authenticator) {
  router_.mount(routes(), handlers_);
  router_.mount(Health::routes(), health_);
  health_.depends_on("database", [&database](const Context& context) { return database.ping(context); });
  health_.uses("events", [&log = world.events](const Context& context) { return log.ping(context); });
  watch_outbox(world, "product-service", outbox_);
  watch_consumer(world, "product-service", consumer_);
}

std::vector<Loop*> ProductModule::loops() {
  return {&publisher_.loop(), &outbox_.relay(), &consumer_.loop(), &sweeper_, &janitor_};
}

Task<Result<void>> ProductModule::prepare(const Context& context) {
  CO_CHECK(co_await migrate(tools_.database, context, "product", store::migrations));
  co_return co_await currencies_.prepare(context);
}

}  // namespace shop::product

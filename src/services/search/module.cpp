#include "services/search/module.hpp"

namespace shop::search {

SearchModule::SearchModule(const ServiceWorld& world, SearchIndex& index)
    : index_(index),
      service_(index, CataloguePeer(world.peers), world.clock),
      rebuilder_(index, CataloguePeer(world.peers), world.clock),
      handlers_(service_, rebuilder_),
      consumer_({.service = "search-service", .group = "search-service-group-products", .topics = {"product_events"}}, world.events, world.clock,
                [this](const Context& context, const std::vector<ReceivedEvent>& events) { return handle(context, events); }),
      health_("search-service", world.clock),
      router_("search-service", "/search", world.authenticator) {
  router_.mount(routes(), handlers_);
  router_.mount(Health::routes(), health_);
  health_.depends_on("search", [&index](const Context& context) { return index.ping(context); });
  health_.uses("events", [&log = world.events](const Context& context) { return log.ping(context); });
  watch_consumer(world, "search-service", consumer_);
}

// The engine is there and has an index, if only an empty one; the rebuild that fills it runs in the background.
Task<Result<void>> SearchModule::prepare(const Context& context) {
  CO_CHECK(co_await index_.state(context));
  co_return Result<void>();
}

}  // namespace shop::search

#include "runtime/service.hpp"

namespace shop {

void watch_outbox(const ServiceWorld& world, const std::string& service, Outbox& outbox) {
  auto& published = world.metrics.gauge("events_published", "Events handed to the log since the start.", {{"handler", service}});
  auto& depth = world.metrics.gauge("outbox_depth", "Events that waited when the relay last looked.", {{"handler", service}});
  world.metrics.on_scrape([&published, &depth, &outbox] {
    published.Set(static_cast<double>(outbox.published()));
    depth.Set(static_cast<double>(outbox.depth()));
  });
}

void watch_consumer(const ServiceWorld& world, const std::string& service, Consumer& consumer) {
  auto& handled = world.metrics.gauge("events_consumed", "Events handled since the start.", {{"handler", service}});
  auto& lag = world.metrics.gauge("events_lag", "Events not yet handled.", {{"handler", service}});
  auto& dead = world.metrics.gauge("events_dead_lettered", "Events that went to the dead letters since the start.", {{"handler", service}});
  world.metrics.on_scrape([&handled, &lag, &dead, &consumer] {
    handled.Set(static_cast<double>(consumer.handled()));
    lag.Set(static_cast<double>(consumer.lag()));
    dead.Set(static_cast<double>(consumer.dead_letters()));
  });
}

}  // namespace shop

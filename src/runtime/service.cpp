#include "runtime/service.hpp"

namespace shop {

void watch_database(Metrics& metrics, const Database& store, std::string_view database) {
  const Metrics::Labels labels{{"database", std::string(database)}};
  auto& open = metrics.gauge("database_connections_open", "Connections of the database pool.", labels);
  auto& busy = metrics.gauge("database_connections_busy", "Connections in use.", labels);
  auto& waiting = metrics.gauge("database_requests_waiting", "Works that wait for a connection.", labels);
  metrics.on_scrape([&] {
    const auto state = store.pool();
    open.Set(static_cast<double>(state.open));
    busy.Set(static_cast<double>(state.busy));
    waiting.Set(static_cast<double>(state.waiting));
  });
}

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

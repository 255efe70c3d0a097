// What every service is made of, seen from the program that runs it.
#pragma once

#include <vector>

#include "net/router.hpp"
#include "observe/metrics.hpp"
#include "ports/clock.hpp"
#include "ports/database.hpp"
#include "ports/event_log.hpp"
#include "ports/random.hpp"
#include "ports/service_caller.hpp"
#include "runtime/consumer.hpp"
#include "runtime/health.hpp"
#include "runtime/loop.hpp"
#include "runtime/outbox.hpp"

namespace shop {

// The world a service lives in; each takes beside it the stores that it owns.
struct ServiceWorld {
  Clock& clock;
  Random& random;
  EventLog& events;
  ServiceCaller& peers;
  net::Authenticator& authenticator;
  Metrics& metrics;
};

class Service {
 public:
  virtual ~Service() = default;
  virtual net::Router& router() = 0;
  virtual Health& health() = 0;
  virtual std::vector<Loop*> loops() = 0;
  virtual Task<Result<void>> prepare(const Context& context) = 0;  // before the first request

  // The I/O threads and the stores' have ended, the loops have not: what waits here belongs to them and is let go.
  virtual void abandon() {}
};

// `database`: whose, in the label.
void watch_database(Metrics& metrics, const Database& store, std::string_view database);
void watch_outbox(const ServiceWorld& world, const std::string& service, Outbox& outbox);
void watch_consumer(const ServiceWorld& world, const std::string& service, Consumer& consumer);

}  // namespace shop

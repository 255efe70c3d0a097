// Events leave through a table that is written in the transaction of the change they tell of (transactional outbox); a relay
// publishes them at least once, in order per key, and deletes them. Nobody sends an event from a request.
//
// The relay deletes what it has published by number and never remembers a position: numbers are given before commits, so
// "everything after the last one" would skip rows. One relay at a time works, by a lease; a second one could at worst double. It is
// woken by commits of its own process; while other replicas write it looks again 25 ms after it has found many, 10 ms after few.
#pragma once

#include <atomic>
#include <string>

#include "ports/clock.hpp"
#include "ports/database.hpp"
#include "ports/event_log.hpp"
#include "ports/random.hpp"
#include "runtime/loop.hpp"

namespace shop {

// Contract, section 13.
struct Event {
  std::string topic;
  std::string key;   // id of the entity
  std::string type;  // "PRODUCT_UPDATED"
  std::int64_t version = 0;  // per entity, increasing
  std::string payload;       // JSON
  std::string traceparent = {};  // empty: that of the transaction
};

// Whether `holder` may do the work called `name` until `until`: nobody else held it, or their time is over. A transaction of
// its own. For loops of which one instance should run among replicas.
Task<Result<bool>> take_lease(Database& database, const Context& context, const std::string& name, const std::string& holder,
                              Instant now, Instant until);

// The same for work that goes on: kept, and asked for again when half of its time has passed. A holder that was killed keeps others waiting for `length`.
class Lease {
 public:
  Lease(Database& database, Clock& clock, Random& random, std::string name, milliseconds length)
      : database_(database), clock_(clock), name_(std::move(name)), holder_(random.uuid4().text()), length_(length) {}

  Task<Result<bool>> keep(const Context& context);  // whether it is this holder's
  bool kept() const { return clock_.wall() < until_; }

 private:
  Database& database_;
  Clock& clock_;
  const std::string name_, holder_;
  const milliseconds length_;
  Instant until_;
};

class Outbox {
 public:
  // `lease`: how long others wait for a relay that was killed.
  Outbox(std::string service, Database& database, EventLog& log, Clock& clock, Random& random, milliseconds lease = seconds(3));

  // In the transaction of the change; wakes the relay after the commit.
  Task<Result<void>> append(Transaction& tx, std::vector<Event> events);
  Task<Result<void>> append(Transaction& tx, Event event);

  Loop& relay() { return relay_; }
  std::int64_t published() const { return published_; }
  std::int64_t depth() const { return depth_; }  // when the relay last looked; at most one batch is counted

  static constexpr std::string_view schema =
      "CREATE TABLE outbox (seq @SERIAL@, event_id TEXT NOT NULL, topic TEXT NOT NULL, key TEXT NOT NULL,"
      " body TEXT NOT NULL, traceparent TEXT NOT NULL, created_at BIGINT NOT NULL);\n"
      "CREATE TABLE leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until BIGINT NOT NULL);\n";

 private:
  Task<Result<bool>> step(const Context& context);
  Task<bool> look_again_soon(std::size_t found);

  const std::string service_;
  Database& database_;
  EventLog& log_;
  Clock& clock_;
  Random& random_;
  Lease lease_;
  Monotonic others_until_{};
  std::atomic<std::int64_t> own_{0};  // committed here since the relay last looked
  std::atomic<std::int64_t> published_{0}, depth_{0};
  Loop relay_;
};

// What waits in the outbox of the database.
struct OutboxBacklog {
  std::int64_t waiting = 0;
  std::optional<Instant> oldest;
};
BOOST_DESCRIBE_STRUCT(OutboxBacklog, (), (waiting, oldest))
Task<Result<OutboxBacklog>> outbox_backlog(Transaction& tx);

}  // namespace shop

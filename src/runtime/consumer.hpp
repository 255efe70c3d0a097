// Reads events for one group: each is handled until it succeeded, in order per partition, and its effect happens once.
//
// The handler's transaction records the event's id (`first_time`) beside its effect, so a second delivery finds it there.
// A failure that a later try may mend (traits().retryable) is tried again without end, with back-off: the store is down, not
// the event wrong. Any other is tried `attempts` times, then the event goes to "<service>_dlq" with its cause, and the
// partition goes on.
#pragma once

#include <functional>
#include <string>

#include "base/id.hpp"
#include "ports/clock.hpp"
#include "ports/database.hpp"
#include "ports/event_log.hpp"
#include "runtime/loop.hpp"

namespace shop {

struct ReceivedEvent {
  std::string type;
  boost::json::value payload;
  Instant timestamp;
  std::string sourceService;
  EventId eventId;
  std::int64_t version = 0;
};
BOOST_DESCRIBE_STRUCT(ReceivedEvent, (), (type, payload, timestamp, sourceService, eventId, version))

struct ConsumerOptions {
  std::string service;  // "search-service"; its dead letters go to "search_service_dlq"
  std::string group;
  std::vector<std::string> topics;
  int attempts = 5;
  std::size_t batch = 64;
};

class Consumer {
 public:
  // Several events at once where the effect is cheaper so; an error concerns the whole batch, which is then tried singly.
  using Handle = std::move_only_function<Task<Result<void>>(const Context&, const std::vector<ReceivedEvent>&)>;

  Consumer(ConsumerOptions options, EventLog& log, Clock& clock, Handle handle);

  Loop& loop() { return loop_; }
  std::int64_t dead_letters() const { return dead_letters_; }
  std::int64_t handled() const { return handled_; }
  std::int64_t lag() const { return subscription_->lag(); }

 private:
  Task<Result<bool>> step(const Context& context);
  Task<Result<void>> handle_one(const Context& context, const DeliveredEvent& delivered);
  Task<Result<void>> bury(const Context& context, const DeliveredEvent& delivered, const Error& cause);

  const ConsumerOptions options_;
  EventLog& log_;
  Clock& clock_;
  Handle handle_;
  const std::unique_ptr<Subscription> subscription_;
  std::atomic<std::int64_t> dead_letters_{0}, handled_{0};
  std::vector<DeliveredEvent> waiting_;  // fetched, not yet committed
  Loop loop_;
};

inline constexpr std::string_view inbox_schema =
    "CREATE TABLE processed_events (event_id TEXT PRIMARY KEY, processed_at BIGINT NOT NULL);\n";

// True when this event has not been recorded before; records it. In the transaction of the effect.
Task<Result<bool>> first_time(Transaction& tx, const EventId& event, Instant now);

// Forgets ids older than `before`; deliveries are repeated within minutes, not weeks.
Task<Result<std::int64_t>> forget_processed(Transaction& tx, const Instant& before);

}  // namespace shop

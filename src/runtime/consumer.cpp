#include "runtime/consumer.hpp"

#include <algorithm>

#include "observe/log.hpp"
#include "runtime/dead_letters.hpp"

namespace shop {
namespace {

constexpr Query record{"inbox_record",
                       "INSERT INTO processed_events (event_id, processed_at) VALUES ($1, $2) ON CONFLICT (event_id) DO NOTHING"};
constexpr Query forget{"inbox_forget", "DELETE FROM processed_events WHERE processed_at < $1"};

Context traced(const Context& context, const DeliveredEvent& delivered) {
  Context own = context;
  for (const auto& [name, value] : delivered.record.headers) {
    if (name == "traceparent") Trace::parse(value, own.trace);
  }
  return own;
}

}  // namespace

Consumer::Consumer(ConsumerOptions options, EventLog& event_log, Clock& clock, Handle handle)
    : options_(std::move(options)),
      log_(event_log),
      clock_(clock),
      handle_(std::move(handle)),
      subscription_(event_log.subscribe(options_.group, options_.topics)),
      loop_(clock, {.name = options_.group, .period = milliseconds(0)}, [this](const Context& context) { return step(context); }) {}

Task<Result<bool>> Consumer::step(const Context& context) {
  if (waiting_.empty()) {
    CO_TRY(waiting_, co_await subscription_->fetch(options_.batch, milliseconds(500)));
    if (waiting_.empty()) co_return true;
  }
  std::vector<ReceivedEvent> events;
  for (const auto& delivered : waiting_) {
    auto event = codec::from_json<ReceivedEvent>(delivered.record.value);
    if (!event) break;
    events.push_back(std::move(*event));
  }
  if (events.size() == waiting_.size() && co_await handle_(traced(context, waiting_.front()), events)) {
    handled_ += static_cast<std::int64_t>(events.size());
  } else {
    while (!waiting_.empty()) {
      CO_CHECK(co_await handle_one(context, waiting_.front()));
      CO_CHECK(co_await subscription_->commit(waiting_.front()));
      waiting_.erase(waiting_.begin());
    }
    co_return true;
  }
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const auto& done = waiting_[i];
    const bool last_of_partition = std::none_of(waiting_.begin() + static_cast<std::ptrdiff_t>(i) + 1, waiting_.end(), [&](const auto& later) {
      return later.partition == done.partition && later.record.topic == done.record.topic;
    });
    if (!last_of_partition) continue;
    CO_CHECK(co_await subscription_->commit(done));
  }
  waiting_.clear();
  co_return true;
}

Task<Result<void>> Consumer::handle_one(const Context& context, const DeliveredEvent& delivered) {
  milliseconds pause{20};
  Error cause;
  for (int attempt = 1; attempt <= options_.attempts; ++attempt) {
    auto event = codec::from_json<ReceivedEvent>(delivered.record.value);
    Result<void> outcome;
    if (event) {
      std::vector<ReceivedEvent> one;
      one.push_back(std::move(*event));
      outcome = co_await handle_(traced(context, delivered), one);
    } else {
      outcome = Failure(std::move(event).error());
    }
    if (outcome) {
      ++handled_;
      co_return Result<void>();
    }
    cause = std::move(outcome).error();
    if (traits(cause.code).retryable) co_return fail(std::move(cause));  // the loop comes back to it
    co_await clock_.sleep(pause);
    pause *= 2;
  }
  co_return co_await bury(context, delivered, cause);
}

Task<Result<void>> Consumer::bury(const Context& context, const DeliveredEvent& delivered, const Error& cause) {
  EventRecord letter = delivered.record;
  letter.topic = dead_letter_topic(options_.service);
  letter.headers.emplace_back("dlq-error", cause.message + (cause.detail.empty() ? "" : ": " + cause.detail));
  letter.headers.emplace_back("dlq-code", cause.name.empty() ? std::string(traits(cause.code).name) : cause.name);
  letter.headers.emplace_back("dlq-attempts", std::to_string(options_.attempts));
  letter.headers.emplace_back("dlq-group", options_.group);
  letter.headers.emplace_back("dlq-topic", delivered.record.topic);
  letter.headers.emplace_back("dlq-partition", std::to_string(delivered.partition));
  letter.headers.emplace_back("dlq-offset", std::to_string(delivered.offset));
  letter.headers.emplace_back("dlq-time", clock_.wall().text());
  std::vector<EventRecord> letters;
  letters.push_back(std::move(letter));
  CO_CHECK(co_await log_.publish(context, std::move(letters)));
  ++dead_letters_;
  log(Severity::error, options_.group, "an event could not be handled and went to the dead letters",
      {{"topic", delivered.record.topic}, {"key", delivered.record.key}, {"cause", cause.message}, {"detail", cause.detail}});
  co_return Result<void>();
}

Task<Result<bool>> first_time(Transaction& tx, const EventId& event, Instant now) {
  CO_TRY(const auto changed, co_await execute(tx, record, event, now));
  co_return changed > 0;
}

Task<Result<std::int64_t>> forget_processed(Transaction& tx, const Instant& before) {
  co_return co_await execute(tx, forget, before);
}

}  // namespace shop

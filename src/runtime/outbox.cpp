#include "runtime/outbox.hpp"

namespace shop {
namespace {

constexpr std::size_t batch = 128;
constexpr milliseconds others_pause{25}, others_pause_after_few{10};  // many are gathered, few do not wait
constexpr std::size_t few = 8;
constexpr seconds others_go_on{2};  // after the last event that was not from here

constexpr Query insert{"outbox_insert",
                       "INSERT INTO outbox (event_id, topic, key, body, traceparent, created_at) VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Query oldest{"outbox_oldest", "SELECT seq, event_id, topic, key, body, traceparent FROM outbox ORDER BY seq LIMIT $1"};
constexpr Query remove{"outbox_delete", "DELETE FROM outbox WHERE seq = $1"};
constexpr Query waiting{"outbox_waiting", "SELECT COUNT(*), MIN(created_at) FROM outbox"};
constexpr Query take{"lease_take",
                     "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $4) ON CONFLICT (name) DO UPDATE"
                     " SET holder = excluded.holder, until = excluded.until"
                     " WHERE leases.holder = excluded.holder OR leases.until < $3"};

struct Pending {
  std::int64_t seq;
  std::string event_id, topic, key, body, traceparent;
};
BOOST_DESCRIBE_STRUCT(Pending, (), (seq, event_id, topic, key, body, traceparent))

Task<Result<bool>> take_in(Transaction& tx, const std::string& name, const std::string& holder, const Instant& now,
                           const Instant& until) {
  CO_TRY(const auto changed, co_await execute(tx, take, name, holder, now, until));
  co_return changed > 0;
}

Task<Result<std::vector<Pending>>> load(Transaction& tx) { return select<Pending>(tx, oldest, batch); }

Task<Result<void>> forget(Transaction& tx, const std::vector<Pending>& sent) {
  std::vector<Params> sets;
  for (const auto& row : sent) sets.push_back(codec::params_of(row.seq));
  CO_CHECK(co_await tx.later(remove, std::move(sets)));
  co_return Result<void>();
}

}  // namespace

Outbox::Outbox(std::string service, Database& database, EventLog& event_log, Clock& clock, Random& random, milliseconds lease)
    : service_(std::move(service)),
      database_(database),
      log_(event_log),
      clock_(clock),
      random_(random),
      lease_(database, clock, random, "relay", lease),
      relay_(clock, {.name = service_ + " relay", .period = milliseconds(500), .gather = milliseconds(20)},
             [this](const Context& context) { return step(context); }) {}

Task<Result<void>> Outbox::append(Transaction& tx, Event event) {
  std::vector<Event> one;
  one.push_back(std::move(event));
  return append(tx, std::move(one));
}

Task<Result<void>> Outbox::append(Transaction& tx, std::vector<Event> events) {
  const auto now = clock_.wall();
  std::vector<Params> sets;
  for (auto& event : events) {
    const auto id = random_.uuid7(now);
    std::string body = R"({"type":)";
    codec::write_string(body, event.type);
    body += R"(,"payload":)" + event.payload + R"(,"timestamp":")" + now.text() + R"(","sourceService":)";
    codec::write_string(body, service_);
    body += R"(,"eventId":")" + id.text() + R"(","version":)" + std::to_string(event.version) + "}";
    if (event.traceparent.empty()) event.traceparent = tx.context().trace.traceparent();
    sets.push_back(codec::params_of(id, event.topic, event.key, body, event.traceparent, now));
  }
  CO_CHECK(co_await tx.later(insert, std::move(sets)));
  tx.on_commit([this, count = static_cast<std::int64_t>(events.size())] {
    own_ += count;
    relay_.wake();
  });
  co_return Result<void>();
}

Task<Result<bool>> Outbox::step(const Context& context) {
  const auto own = own_.exchange(0);
  CO_TRY(const auto pending, co_await read(database_, context, load));
  depth_ = static_cast<std::int64_t>(pending.size());
  if (static_cast<std::int64_t>(pending.size()) > own) others_until_ = clock_.now() + others_go_on;
  if (pending.empty()) co_return co_await look_again_soon(0);
  CO_TRY(const bool mine, co_await lease_.keep(context));
  if (!mine) co_return false;

  std::vector<EventRecord> records;
  records.reserve(pending.size());
  for (const auto& row : pending) {
    records.push_back({row.topic, row.key, row.body, {{"traceparent", row.traceparent}, {"eventId", row.event_id}}});
  }
  CO_CHECK(co_await log_.publish(context, std::move(records)));
  CO_CHECK(co_await write(database_, context, forget, pending));
  published_ += depth_.exchange(0);
  if (pending.size() == batch) co_return true;
  co_return co_await look_again_soon(pending.size());
}

// Events of another replica wake its relay, not this one, which has the lease: while others write it looks for them.
Task<bool> Outbox::look_again_soon(std::size_t found) {
  const bool soon = clock_.now() < others_until_ && lease_.kept();
  if (soon) co_await clock_.sleep(found < few ? others_pause_after_few : others_pause);
  co_return soon;
}

Task<Result<OutboxBacklog>> outbox_backlog(Transaction& tx) {
  CO_TRY(auto row, co_await select_one<OutboxBacklog>(tx, waiting));
  co_return *row;
}

Task<Result<bool>> Lease::keep(const Context& context) {
  const auto now = clock_.wall();
  if (until_ >= now + length_ / 2) co_return true;
  CO_TRY(const bool mine, co_await take_lease(database_, context, name_, holder_, now, now + length_));
  if (mine) until_ = now + length_;
  co_return mine;
}

Task<Result<bool>> take_lease(Database& database, const Context& context, const std::string& name, const std::string& holder,
                              Instant now, Instant until) {
  co_return co_await write(database, context, take_in, name, holder, now, until);
}

}  // namespace shop

#include "adapters/sql_log/sql_log.hpp"

#include <fmt/format.h>

namespace shop {
namespace {

constexpr Query create{"log_create",
                       "CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL,"
                       " key TEXT NOT NULL, value TEXT NOT NULL, headers TEXT NOT NULL, at BIGINT NOT NULL)"};
constexpr Query create_index{"log_index", "CREATE INDEX IF NOT EXISTS events_topic ON events (topic, number)"};
constexpr Query create_positions{"log_positions",
                                 "CREATE TABLE IF NOT EXISTS positions (consumer TEXT NOT NULL, topic TEXT NOT NULL,"
                                 " number BIGINT NOT NULL, PRIMARY KEY (consumer, topic))"};
constexpr Query append{"log_append", "INSERT INTO events (topic, key, value, headers, at) VALUES ($1, $2, $3, $4, $5)"};
constexpr Query after{"log_after",
                      "SELECT number, topic, key, value, headers FROM events WHERE topic = $1 AND number > $2 ORDER BY number LIMIT $3"};
constexpr Query position{"log_position", "SELECT number FROM positions WHERE consumer = $1 AND topic = $2"};
constexpr Query advance{"log_advance",
                        "INSERT INTO positions (consumer, topic, number) VALUES ($1, $2, $3)"
                        " ON CONFLICT (consumer, topic) DO UPDATE SET number = excluded.number"
                        " WHERE positions.number < excluded.number"};
constexpr Query behind{"log_behind", "SELECT count(*) FROM events WHERE topic = $1 AND number > $2"};
constexpr Query trim_old{"log_trim",
                         "DELETE FROM events WHERE number IN (SELECT number FROM events e WHERE at < $1 AND number <="
                         " COALESCE((SELECT MIN(number) FROM positions p WHERE p.topic = e.topic), 0) LIMIT 1000)"};

struct Stored {
  std::int64_t number;
  std::string topic, key, value;
  std::map<std::string, std::string> headers;
};
BOOST_DESCRIBE_STRUCT(Stored, (), (number, topic, key, value, headers))

using Positions = std::map<std::string, std::int64_t>;

Task<Result<void>> create_in(Transaction& tx) {
  for (const auto* query : {&create, &create_index, &create_positions}) CO_CHECK(co_await tx.run(*query, {}));
  co_return Result<void>();
}

Task<Result<void>> append_in(Transaction& tx, const std::vector<EventRecord>& records, const Instant& now) {
  std::vector<Params> sets;
  for (const auto& record : records) {
    const std::map<std::string, std::string> headers(record.headers.begin(), record.headers.end());
    sets.push_back(codec::params_of(record.topic, record.key, record.value, headers, now));
  }
  CO_CHECK(co_await tx.run_each(append, std::move(sets)));
  co_return Result<void>();
}

Task<Result<Positions>> positions_in(Transaction& tx, const std::string& group, const std::vector<std::string>& topics) {
  Positions positions;
  for (const auto& topic : topics) {
    CO_TRY(const auto number, co_await select_one<std::int64_t>(tx, position, group, topic));
    positions[topic] = number.value_or(0);
  }
  co_return positions;
}

Task<Result<std::vector<Stored>>> after_in(Transaction& tx, const Positions& positions, const std::size_t& max) {
  std::vector<Stored> all;
  for (const auto& [topic, number] : positions) {
    if (all.size() >= max) break;
    CO_TRY(auto some, co_await select<Stored>(tx, after, topic, number, max - all.size()));
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  co_return all;
}

Task<Result<std::int64_t>> behind_in(Transaction& tx, const Positions& positions) {
  std::int64_t total = 0;
  for (const auto& [topic, number] : positions) {
    CO_TRY(const auto count, co_await select_one<std::int64_t>(tx, behind, topic, number));
    total += count.value_or(0);
  }
  co_return total;
}

Task<Result<void>> advance_in(Transaction& tx, const std::string& group, const std::string& topic, const std::int64_t& number) {
  CO_CHECK(co_await execute(tx, advance, group, topic, number));
  co_return Result<void>();
}

Task<Result<std::int64_t>> trim_in(Transaction& tx, const Instant& before) { co_return co_await execute(tx, trim_old, before); }

std::vector<DeliveredEvent> delivered_from(std::vector<Stored> stored) {
  std::vector<DeliveredEvent> delivered;
  for (auto& event : stored) {
    DeliveredEvent& out = delivered.emplace_back();
    out.offset = event.number;
    out.record = {std::move(event.topic), std::move(event.key), std::move(event.value), {event.headers.begin(), event.headers.end()}};
  }
  return delivered;
}

}  // namespace

class SqlEventLog::Reader final : public Subscription {
 public:
  Reader(SqlEventLog& log, std::string group, std::vector<std::string> topics)
      : log_(log), group_(std::move(group)), topics_(std::move(topics)), alarm_(log.clock_.alarm()) {
    const std::lock_guard lock(log_.mutex_);
    log_.readers_.push_back(this);
  }

  ~Reader() override {
    const std::lock_guard lock(log_.mutex_);
    std::erase(log_.readers_, this);
  }

  Task<Result<std::vector<DeliveredEvent>>> fetch(std::size_t max, milliseconds wait) override {
    Context context;
    if (positions_.empty()) {
      CO_TRY(positions_, co_await read(log_.database_, context, positions_in, group_, topics_));
    }
    CO_TRY(auto stored, co_await read(log_.database_, context, after_in, positions_, max));
    if (stored.empty()) {
      co_await alarm_->wait_until(log_.clock_.now() + wait);
      CO_TRY(stored, co_await read(log_.database_, context, after_in, positions_, max));
    }
    for (const auto& event : stored) positions_[event.topic] = event.number;
    auto delivered = delivered_from(std::move(stored));
    if (delivered.size() < max) lag_ = static_cast<std::int64_t>(delivered.size());
    else if (auto count = co_await read(log_.database_, context, behind_in, positions_)) lag_ = *count;
    co_return delivered;
  }

  Task<Result<void>> commit(const DeliveredEvent& event) override {
    CO_CHECK(co_await write(log_.database_, Context{}, advance_in, group_, event.record.topic, event.offset));
    lag_ = std::max<std::int64_t>(lag_ - 1, 0);
    co_return Result<void>();
  }

  std::int64_t lag() const override { return lag_; }

  void wake() { alarm_->wake(); }

 private:
  SqlEventLog& log_;
  const std::string group_;
  const std::vector<std::string> topics_;
  const std::unique_ptr<Alarm> alarm_;
  Positions positions_;
  std::atomic<std::int64_t> lag_{0};
};

Task<Result<void>> SqlEventLog::prepare(const Context& context) { co_return co_await write(database_, context, create_in); }

Task<Result<bool>> SqlEventLog::trim(const Context& context, hours age) {
  CO_TRY(const auto count, co_await write(database_, context, trim_in, clock_.wall() - age));
  co_return count == 1000;
}

Task<Result<void>> SqlEventLog::publish(const Context& context, std::vector<EventRecord> records) {
  const auto now = clock_.wall();
  CO_CHECK(co_await write(database_, context, append_in, records, now));
  const std::lock_guard lock(mutex_);
  for (auto* reader : readers_) reader->wake();
  co_return Result<void>();
}

std::unique_ptr<Subscription> SqlEventLog::subscribe(std::string group, std::vector<std::string> topics) {
  return std::make_unique<Reader>(*this, std::move(group), std::move(topics));
}

Task<Result<std::vector<DeliveredEvent>>> SqlEventLog::history(const Context& context, std::vector<std::string> topics, std::size_t most) {
  Positions positions;
  for (const auto& topic : topics) positions[topic] = 0;
  CO_TRY(auto stored, co_await read(database_, context, after_in, positions, most + 1));
  if (stored.size() > most) co_return fail(Code::too_large, fmt::format("There are more than {} records.", most));
  co_return delivered_from(std::move(stored));
}

Task<Result<void>> SqlEventLog::ping(const Context& context) { co_return co_await database_.ping(context); }

}  // namespace shop

// The way of an event: outbox, relay, log, consumer, inbox, dead letters; on SQLite with its table, and on PostgreSQL with Kafka.
#include <future>
#include <random>
#include <set>

#include "contract/database_worlds.hpp"
#include "contract/event_worlds.hpp"
#include "runtime/consumer.hpp"
#include "runtime/migrations.hpp"
#include "runtime/outbox.hpp"
#include "runtime/task_group.hpp"

namespace shop::contract {
namespace {

constexpr milliseconds patience{30'000};

const std::string schema = std::string(Outbox::schema) + std::string(inbox_schema) +
                           "CREATE TABLE entities (id BIGINT PRIMARY KEY, version BIGINT NOT NULL);\n"
                           "CREATE TABLE effects (event_id TEXT PRIMARY KEY, key TEXT NOT NULL, version BIGINT NOT NULL);\n"
                           "CREATE TABLE totals (id BIGINT PRIMARY KEY, n BIGINT NOT NULL);\n"
                           "INSERT INTO totals (id, n) VALUES (1, 0);\n";
const std::vector<Migration> migrations{{1, "contract", schema}};

constexpr Query next_version{"next_version",
                             "INSERT INTO entities (id, version) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET version = entities.version + 1"
                             " RETURNING version"};
constexpr Query count_total{"count_total", "UPDATE totals SET n = n + 1 WHERE id = 1"};
constexpr Query total{"total", "SELECT n FROM totals WHERE id = 1"};
constexpr Query waiting{"waiting", "SELECT count(*) FROM outbox"};

template <class Db, class Log, bool Quick>
struct Pair {
  static constexpr bool quick = Quick;  // a new member of a group begins at once
  Pair() {
    const auto context = within(milliseconds(20'000));
    const auto store = database.open();
    if (const auto made = await(migrate(*store, context, "contract", migrations)); !made) throw std::runtime_error(why(made));
  }
  Db database;
  Log log;
};

template <class World>
World& fresh() {
  static World one;
  return one;
}

// A loop with its own thread and store, which can be ended as by kill -9: nothing that it waits for comes back.
template <class Work>
class Killable {
 public:
  template <class Make>
  explicit Killable(Make make) : loop_(grave()), work_(make(loop_)), guard_(boost::asio::make_work_guard(loop_)) {
    boost::asio::co_spawn(loop_, work_->loop().run(), [](std::exception_ptr thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Killable() {
    loop_.stop();
    thread_.join();
  }
  Work& work() { return *work_; }

 private:
  // Whoever answers the dead later on still finds their loop.
  static boost::asio::io_context& grave() {
    static auto* const all = new std::deque<boost::asio::io_context>();
    return all->emplace_back();
  }

  boost::asio::io_context& loop_;
  std::unique_ptr<Work> work_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
};

// Writes versions of an entity: the event in the transaction of the change, the commit after a random pause.
template <class DbWorld>
Task<Result<void>> change_in(Transaction& tx, Outbox& outbox, const std::string& topic, std::int64_t entity, milliseconds pause) {
  CO_TRY(const auto version, co_await number(tx, next_version, entity));
  CO_CHECK(co_await outbox.append(tx, {topic, fmt::format("entity-{}", entity), "CHANGED", version, fmt::format(R"({{"entity":{}}})", entity)}));
  co_return co_await DbWorld::dawdle(tx, pause);
}

}  // namespace

template <class World>
class Events : public testing::Test {
 protected:
  void SetUp() override { world = &fresh<World>(); }
  World* world = nullptr;
};

using Pairs = testing::Types<Pair<SqliteWorld, SqlLogWorld, true>, Pair<PostgresWorld, KafkaWorld, false>>;
TYPED_TEST_SUITE(Events, Pairs);

TYPED_TEST(Events, SixteenWritersAndARelayThatIsKilled) {
  using DbWorld = decltype(TypeParam::database);
  constexpr int writers = 16, changes = 60, entities = 10;
  const auto topic = fresh_name("topic");
  auto& log = this->world->log.log();
  const auto database = this->world->database.open({.connections = 16});
  Outbox outbox("contract", *database, log, stage().clock, stage().random);

  struct Relay {
    std::unique_ptr<Outbox> box;
    std::unique_ptr<Database> store;  // goes first: its threads may still work for the other
    Loop& loop() { return box->relay(); }
  };
  const auto make_relay = [&](boost::asio::io_context& loop) {
    auto relay = std::make_unique<Relay>();
    relay->store = this->world->database.open({}, &loop);
    relay->box = std::make_unique<Outbox>("contract", *relay->store, log, stage().clock, stage().random, milliseconds(300));
    return relay;
  };
  std::atomic<bool> written{false};
  std::thread killer([&] {
    std::mt19937 dice(7);
    while (!written) {
      const Killable<Relay> relay(make_relay);
      std::this_thread::sleep_for(milliseconds(100 + dice() % 400));
    }
  });

  std::vector<std::thread> writing;
  std::atomic<int> failed{0};
  for (int writer = 0; writer < writers; ++writer) {
    writing.emplace_back([&, writer] {
      std::mt19937 dice(static_cast<unsigned>(writer));
      for (int i = 0; i < changes; ++i) {
        const auto context = within(milliseconds(25'000));
        const auto entity = static_cast<std::int64_t>(dice() % entities);
        const milliseconds pause(dice() % 4 == 0 ? dice() % 15 : 0);
        const auto outcome =
            await_on(stage().threads.next(),
                     database->run(context, Access::write, [&](Transaction& tx) { return change_in<DbWorld>(tx, outbox, topic, entity, pause); }));
        if (!outcome && ++failed == 1) ADD_FAILURE() << why(outcome);
      }
    });
  }
  for (auto& each : writing) each.join();
  written = true;
  killer.join();
  ASSERT_EQ(failed, 0);

  const Killable<Relay> last(make_relay);
  const auto context = within(patience);
  EXPECT_TRUE(eventually(patience, [&] {
    return await(read(*database, context, [](Transaction& tx) { return number(tx, waiting); })).value_or(-1) == 0;
  })) << "the outbox is not empty";

  const auto subscription = log.subscribe(fresh_name("group"), {topic});
  std::map<std::string, std::set<std::int64_t>> versions;
  std::map<std::string, std::int64_t> newest;
  std::size_t distinct = 0, doubled = 0, late = 0;
  const Elapsed elapsed;
  while (distinct < writers * changes && elapsed.time() < patience) {
    const auto some = await(subscription->fetch(100, milliseconds(200)));
    for (const auto& delivered : some.value_or(std::vector<DeliveredEvent>())) {
      const auto event = codec::from_json<ReceivedEvent>(delivered.record.value);
      ASSERT_TRUE(event) << why(event);
      auto& highest = newest[delivered.record.key];
      if (!versions[delivered.record.key].insert(event->version).second) {
        ++doubled;
        continue;
      }
      ++distinct;
      late += event->version < highest;  // a new one after a newer one
      highest = std::max(highest, event->version);
    }
  }
  EXPECT_EQ(distinct, static_cast<std::size_t>(writers * changes)) << "events were lost";
  EXPECT_EQ(late, 0U) << "the order per key was broken";
  for (const auto& [key, its] : versions) EXPECT_EQ(static_cast<std::int64_t>(its.size()), *its.rbegin()) << key;
  std::printf("%zu events, %zu doubled\n", distinct, doubled);
}

TYPED_TEST(Events, NothingLeavesWhenTheChangeIsRolledBack) {
  const auto topic = fresh_name("topic");
  const auto database = this->world->database.open();
  auto& log = this->world->log.log();
  Outbox outbox("contract", *database, log, stage().clock, stage().random);
  static constexpr auto append_and_fail = [](Transaction& tx, Outbox& box, const std::string& name) -> Task<Result<void>> {
    CO_CHECK(co_await box.append(tx, {name, "key", "CHANGED", 1, "{}"}));
    co_return fail(Code::gone, "no");
  };
  const auto context = within(milliseconds(10'000));
  ASSERT_FALSE(await(database->run(context, Access::write, [&](Transaction& tx) { return append_and_fail(tx, outbox, topic); })));
  EXPECT_EQ(await(read(*database, context, [](Transaction& tx) { return number(tx, waiting); })).value_or(-1), 0);
}

namespace {

struct Told {
  std::mutex mutex;
  std::vector<std::string> seen;
  std::atomic<int> failures_left{0};
};

std::string event_json(const std::string& type, std::string_view payload, std::int64_t version) {
  const auto id = stage().random.uuid7(stage().clock.wall());
  return fmt::format(R"({{"type":"{}","payload":{},"timestamp":"{}","sourceService":"contract","eventId":"{}","version":{}}})", type, payload,
                     stage().clock.wall().text(), id.text(), version);
}

Task<Result<void>> effect_in(Transaction& tx, const EventId& event) {
  CO_TRY(const bool first, co_await first_time(tx, event, stage().clock.wall()));
  if (first) CO_CHECK(co_await execute(tx, count_total));
  co_return Result<void>();
}

// Fails at POISON for good, at SICK while told to; the rest has its effect once.
Task<Result<void>> handle_all(Database& database, Told& told, const Context& context, const std::vector<ReceivedEvent>& events) {
  for (const auto& event : events) {
    if (event.type == "POISON") co_return fail(Code::invalid, "This cannot be handled.", "BAD_EVENT", "field x is missing");
    if (event.type == "SICK" && told.failures_left.fetch_sub(1) > 0) co_return fail(Code::unavailable, "The store is away.");
    CO_CHECK(co_await write(database, context, effect_in, event.eventId));
    const std::lock_guard lock(told.mutex);
    told.seen.push_back(event.type);
  }
  co_return Result<void>();
}

struct Reader {
  std::unique_ptr<Consumer> consumer;
  std::unique_ptr<Database> store;  // goes first: its threads may still work for the other
  Loop& loop() { return consumer->loop(); }
};

}  // namespace

TYPED_TEST(Events, EffectsHappenOnceAndPoisonGoesToTheDeadLetters) {
  const auto topic = fresh_name("topic"), service = fresh_name("poisoned"), group = fresh_name("group");
  auto& log = this->world->log.log();
  const auto database = this->world->database.open();
  const auto context = within(patience);
  const auto totals = [&] { return await(read(*database, context, [](Transaction& tx) { return number(tx, total); })).value_or(-1); };
  const auto before = totals();

  Told told;
  told.failures_left = 2;
  const auto make_reader = [&](boost::asio::io_context& loop) {
    auto reader = std::make_unique<Reader>();
    reader->store = this->world->database.open({}, &loop);
    reader->consumer =
        std::make_unique<Consumer>(ConsumerOptions{.service = service, .group = group, .topics = {topic}, .attempts = 3}, log, stage().clock,
                                   [&told, store = reader->store.get()](const Context& given, const std::vector<ReceivedEvent>& events) {
                                     return handle_all(*store, told, given, events);
                                   });
    return reader;
  };
  const auto twice = event_json("GOOD", "{}", 1);
  ASSERT_TRUE(await(log.publish(
      context,
      {
          {topic, "a", twice, {}},
          {topic, "a", twice, {}},  // the relay may double
          {topic, "a", event_json("SICK", "{}", 2), {}},
          {topic, "a", event_json("POISON", R"({"x":"هواتف"})", 3), {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}},
          {topic, "a", "this is no JSON", {}},
          {topic, "a", event_json("GOOD", "{}", 4), {}},
      })));
  {
    Killable<Reader> reader(make_reader);
    auto& consumer = *reader.work().consumer;
    EXPECT_TRUE(eventually(patience, [&] { return consumer.dead_letters() == 2 && totals() == before + 3; }))
        << consumer.dead_letters() << " dead, " << totals() - before << " effects";
    EXPECT_TRUE(eventually(milliseconds(10'000), [&] { return consumer.lag() == 0; })) << consumer.lag();
  }
  EXPECT_EQ(totals(), before + 3);

  const auto letters = log.subscribe(fresh_name("group"), {service + "_dlq"});
  std::vector<DeliveredEvent> dead;
  const Elapsed elapsed;
  while (dead.size() < 2 && elapsed.time() < patience) {
    auto some = await(letters->fetch(10, milliseconds(200)));
    for (auto& event : some.value_or(std::vector<DeliveredEvent>())) dead.push_back(std::move(event));
  }
  ASSERT_EQ(dead.size(), 2U);
  std::map<std::string, std::string> headers(dead[0].record.headers.begin(), dead[0].record.headers.end());
  EXPECT_EQ(dead[0].record.key, "a");
  EXPECT_NE(dead[0].record.value.find("هواتف"), std::string::npos) << "the letter is not the event as it came";
  EXPECT_EQ(headers["dlq-error"], "This cannot be handled.: field x is missing");
  EXPECT_EQ(headers["dlq-code"], "BAD_EVENT");
  EXPECT_EQ(headers["dlq-attempts"], "3");
  EXPECT_EQ(headers["dlq-group"], group);
  EXPECT_EQ(headers["dlq-topic"], topic);
  EXPECT_TRUE(headers.contains("dlq-partition") && headers.contains("dlq-offset") && headers.contains("dlq-time"));
  EXPECT_EQ(headers["traceparent"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  EXPECT_EQ(dead[1].record.value, "this is no JSON");
}

TYPED_TEST(Events, AConsumerThatIsKilledLosesAndDoublesNothing) {
  constexpr int count = 300;
  const auto topic = fresh_name("topic"), group = fresh_name("group");
  auto& log = this->world->log.log();
  const auto database = this->world->database.open();
  const auto context = within(milliseconds(60'000));
  const auto totals = [&] { return await(read(*database, context, [](Transaction& tx) { return number(tx, total); })).value_or(-1); };
  const auto before = totals();
  std::vector<EventRecord> all;
  for (int i = 0; i < count; ++i) all.push_back({topic, fmt::format("key-{}", i % 20), event_json("GOOD", "{}", i), {}});
  ASSERT_TRUE(await(log.publish(context, all)));
  Told told;
  const auto make_reader = [&](boost::asio::io_context& loop) {
    auto reader = std::make_unique<Reader>();
    reader->store = this->world->database.open({}, &loop);
    reader->consumer =
        std::make_unique<Consumer>(ConsumerOptions{.service = "contract", .group = group, .topics = {topic}, .batch = 8}, log, stage().clock,
                                   [&told, store = reader->store.get()](const Context& given, const std::vector<ReceivedEvent>& events) {
                                     return handle_all(*store, told, given, events);
                                   });
    return reader;
  };
  std::mt19937 dice(11);
  for (int life = 0; life < (TypeParam::quick ? 6 : 2) && totals() < before + count; ++life) {
    const Killable<Reader> reader(make_reader);
    const auto at_start = totals();
    (void)eventually(milliseconds(8000), [&] { return totals() > at_start; });
    std::this_thread::sleep_for(milliseconds(dice() % 60));
  }
  const Killable<Reader> last(make_reader);
  EXPECT_TRUE(eventually(patience, [&] { return totals() >= before + count; })) << totals() - before;
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(totals(), before + count);
}

}  // namespace shop::contract

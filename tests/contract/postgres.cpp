// What only a store behind a network can meet: deadlines on the server, deadlocks, cut connections, a COMMIT without answer.
#include <future>

#include "contract/cutting_proxy.hpp"
#include "contract/database_worlds.hpp"
#include "runtime/idempotency.hpp"

namespace shop::contract {
namespace {

constexpr Query create{"create", "CREATE TABLE IF NOT EXISTS notes (id BIGINT PRIMARY KEY, seen BIGINT NOT NULL)"};
constexpr Query empty{"empty", "DELETE FROM notes"};
constexpr Query add{"add", "INSERT INTO notes (id, seen) VALUES ($1, 0)"};
constexpr Query touch{"touch", "UPDATE notes SET seen = seen + 1 WHERE id = $1"};
constexpr Query count{"count", "SELECT count(*) FROM notes"};
constexpr Query total{"total", "SELECT sum(seen) FROM notes"};

Task<Result<void>> prepare_in(Transaction& tx) {
  CO_CHECK(co_await tx.run(create, {}));
  CO_CHECK(co_await tx.run(empty, {}));
  co_return Result<void>();
}

Task<Result<void>> add_in(Transaction& tx, std::int64_t id, std::atomic<int>& runs) {
  ++runs;
  co_return co_await perform(tx, add, id);
}

Task<Result<void>> touch_both_in(Transaction& tx, std::int64_t first, std::int64_t second) {
  CO_CHECK(co_await execute(tx, touch, first));
  CO_CHECK(co_await PostgresWorld::dawdle(tx, milliseconds(100)));
  CO_CHECK(co_await execute(tx, touch, second));
  co_return Result<void>();
}

const IdempotencyKey of_somebody{"user 1", "key", "hash"};

// Claims what is claimed already, dawdles, and settles it.
Task<Result<void>> settle_later_in(Transaction& tx, std::string& resource) {
  CO_TRY(const auto standing, co_await claim(tx, of_somebody, "second", Instant{}));
  resource = standing ? standing->resource : "nobody's";
  CO_CHECK(co_await PostgresWorld::dawdle(tx, milliseconds(500)));
  co_return co_await settle_claim(tx, of_somebody, 201, "answer");
}

class Postgres : public testing::Test {
 protected:
  void SetUp() override {
    direct = world().open();
    const auto prepared = await(write(*direct, within(milliseconds(10'000)), prepare_in));
    ASSERT_TRUE(prepared) << why(prepared);
    proxy = std::make_unique<CuttingProxy>(world().server());
    through = world().open_at(proxy->address());
  }

  static PostgresWorld& world() { return the<PostgresWorld>(); }

  Result<void> add_through(std::int64_t id, milliseconds limit = milliseconds(5000)) {
    const auto context = within(limit);
    return await(through->run(context, Access::write, [&, id](Transaction& tx) { return add_in(tx, id, runs); }));
  }

  std::int64_t rows() {
    const auto context = within(milliseconds(5000));
    return await(read(*direct, context, [](Transaction& tx) { return number(tx, count); })).value_or(-1);
  }

  std::unique_ptr<Database> direct, through;
  std::unique_ptr<CuttingProxy> proxy;
  std::atomic<int> runs{0};
};

TEST_F(Postgres, ADeadlineCancelsOnTheServer) {
  const auto context = within(milliseconds(300));
  const Elapsed elapsed;
  const auto outcome = await(direct->run(context, Access::write, [](Transaction& tx) { return PostgresWorld::dawdle(tx, milliseconds(30'000)); }));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::timed_out) << why(outcome);
  EXPECT_LT(elapsed.time(), milliseconds(1000));
  EXPECT_TRUE(eventually(milliseconds(3000), [&] {
    return world().administer(world().name(),
                              "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()"
                              " AND query LIKE '%pg_sleep%' AND datname = current_database()") == "0";
  })) << "the server still works on what nobody waits for";
  const auto next = await(direct->ping(within(milliseconds(5000))));
  EXPECT_TRUE(next) << why(next);
}

TEST_F(Postgres, DeadlocksAreRunAgain) {
  for (std::int64_t id : {1, 2})
    ASSERT_TRUE(await(direct->run(within(milliseconds(5000)), Access::write, [&, id](Transaction& tx) { return add_in(tx, id, runs); })));
  const auto context = within(milliseconds(15'000));
  std::vector<std::future<Result<void>>> works;
  for (std::int64_t first : {1, 2}) {
    works.push_back(boost::asio::co_spawn(
        stage().threads.at(1), direct->run(context, Access::write, [first](Transaction& tx) { return touch_both_in(tx, first, 3 - first); }),
        boost::asio::use_future));
  }
  for (auto& work : works) {
    const auto outcome = work.get();
    EXPECT_TRUE(outcome) << why(outcome);
  }
  EXPECT_EQ(*await(read(*direct, context, [](Transaction& tx) { return number(tx, total); })), 4);
}

// What tests/model/rows.pml builds on: a claim locks the key's row although it changes nothing, so nobody frees or takes the key before
// the transaction has ended.
TEST_F(Postgres, AClaimedKeyIsHeldUntilTheTransactionEnds) {
  world().administer(world().name(), "SET client_min_messages = warning; DROP TABLE IF EXISTS idempotency_keys; " + std::string(idempotency_schema));
  const auto context = within(milliseconds(10'000));
  ASSERT_TRUE(await(write(*direct, context, claim, of_somebody, std::string("first"), Instant{})));
  std::string resource;
  auto settling = boost::asio::co_spawn(
      stage().threads.at(1), direct->run(context, Access::write, [&](Transaction& tx) { return settle_later_in(tx, resource); }), boost::asio::use_future);
  ASSERT_TRUE(eventually(milliseconds(5000), [&] {
    return world().administer(world().name(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()") == "1";
  }));
  EXPECT_TRUE(await(write(*direct, context, release_claim, std::string("first"))));  // waits, and finds it settled
  ASSERT_TRUE(settling.get());
  EXPECT_EQ(resource, "first");
  const auto standing = await(write(*direct, context, claim, of_somebody, std::string("third"), Instant{}));
  ASSERT_TRUE(standing && *standing);
  EXPECT_EQ((*standing)->resource, "first");
  EXPECT_EQ((*standing)->status, 201);
  EXPECT_EQ((*standing)->body, "answer");
}

TEST_F(Postgres, ACommitWithoutAnswerIsUnknownAndNotRepeated) {
  proxy->cut_at("COMMIT", true);
  const auto done = add_through(1);
  ASSERT_TRUE(proxy->has_cut());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unknown_outcome) << why(done);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(rows(), 1) << "the server had committed";

  through = world().open_at(proxy->address());
  proxy->cut_at("COMMIT", false);
  const auto not_done = add_through(2);
  ASSERT_TRUE(proxy->has_cut());
  ASSERT_FALSE(not_done);
  EXPECT_EQ(not_done.error().code, Code::unknown_outcome) << why(not_done);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(rows(), 1) << "the server had never heard of it";
}

TEST_F(Postgres, WhatBreaksBeforeTheCommitIsRunAgain) {
  ASSERT_TRUE(add_through(1));
  runs = 0;
  through = world().open_at(proxy->address());
  proxy->cut_at("INSERT", false);
  const auto outcome = add_through(2);
  EXPECT_TRUE(outcome) << why(outcome);
  EXPECT_TRUE(proxy->has_cut());
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(rows(), 2);
}

TEST_F(Postgres, ARestartedServerIsNotNoticed) {  // all idle connections are dead at once
  std::vector<std::future<Result<void>>> works;
  const auto context = within(milliseconds(10'000));
  for (int i = 0; i < 4; ++i) {
    works.push_back(boost::asio::co_spawn(
        stage().threads.at(1), through->run(context, Access::write, [](Transaction& tx) { return PostgresWorld::dawdle(tx, milliseconds(100)); }),
        boost::asio::use_future));
  }
  for (auto& work : works) ASSERT_TRUE(work.get());
  ASSERT_EQ(through->pool().open, 4U);
  world().administer(world().name(),
                     "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()");
  for (std::int64_t id = 0; id < 8; ++id) {
    const auto outcome = add_through(id);
    EXPECT_TRUE(outcome) << why(outcome);
  }
  EXPECT_EQ(rows(), 8);
}

TEST_F(Postgres, AwayIsUnavailableAtOnceAndHeals) {
  proxy->refuse(true);
  const Elapsed elapsed;
  const auto refused = add_through(1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unavailable) << why(refused);
  EXPECT_LT(elapsed.time(), milliseconds(1000));
  proxy->refuse(false);
  const auto healed = add_through(2);
  EXPECT_TRUE(healed) << why(healed);
  EXPECT_EQ(through->pool().busy, 0U);
}

TEST_F(Postgres, ASilentServerCostsNoMoreThanTheDeadline) {
  ASSERT_TRUE(add_through(1));
  proxy->swallow(true);
  Elapsed elapsed;
  const auto kept = add_through(2, milliseconds(400));  // on the open connection
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, Code::timed_out) << why(kept);
  EXPECT_LT(elapsed.time(), milliseconds(900));
  elapsed = Elapsed();
  const auto fresh = add_through(3, milliseconds(400));  // on a new one
  ASSERT_FALSE(fresh);
  EXPECT_TRUE(fresh.error().code == Code::timed_out || fresh.error().code == Code::unavailable) << why(fresh);
  EXPECT_LT(elapsed.time(), milliseconds(900));
  proxy->swallow(false);
  const auto healed = add_through(4);
  EXPECT_TRUE(healed) << why(healed);
}

TEST_F(Postgres, NothingLeaksWhenConnectionsBreakAllTheTime) {
  std::atomic<bool> over{false};
  std::thread cutter([&] {
    while (!over) {
      std::this_thread::sleep_for(milliseconds(150));
      proxy->cut_all();
    }
  });
  std::size_t good = 0;
  std::vector<std::int64_t> acknowledged;
  for (std::int64_t id = 0; id < 200; ++id) {
    if (add_through(id, milliseconds(2000))) {
      ++good;
      acknowledged.push_back(id);
    }
  }
  over = true;
  cutter.join();
  EXPECT_GT(good, 50U);
  EXPECT_LE(through->pool().open, 4U);
  EXPECT_EQ(through->pool().busy, 0U);
  EXPECT_GE(rows(), static_cast<std::int64_t>(good)) << "an acknowledged row is gone";
}

}  // namespace
}  // namespace shop::contract

// Database: what every relational store promises (ports/database.hpp), on SQLite and PostgreSQL.
#include <barrier>
#include <future>

#include "contract/database_worlds.hpp"
#include "runtime/idempotency.hpp"
#include "runtime/migrations.hpp"

namespace shop::contract {
namespace {

constexpr Query create_parents{"create_parents", "CREATE TABLE parents (id BIGINT PRIMARY KEY, label TEXT NOT NULL UNIQUE)"};
constexpr Query create_children{"create_children",
                                "CREATE TABLE children (id BIGINT PRIMARY KEY, parent BIGINT NOT NULL REFERENCES parents (id), place BIGINT NOT NULL,"
                                " stock BIGINT NOT NULL, CONSTRAINT stock_not_negative CHECK (stock >= 0), UNIQUE (parent, place))"};
constexpr Query create_values{"create_values", "CREATE TABLE kept (id BIGINT PRIMARY KEY, words TEXT, number BIGINT, yes BOOLEAN)"};
constexpr Query empty_children{"empty_children", "DELETE FROM children"}, empty_parents{"empty_parents", "DELETE FROM parents"},
    empty_values{"empty_values", "DELETE FROM kept"};
constexpr Query add_parent{"add_parent", "INSERT INTO parents (id, label) VALUES ($1, $2)"};
constexpr Query add_child{"add_child", "INSERT INTO children (id, parent, place, stock) VALUES ($1, $2, $3, $4)"};
constexpr Query count_parents{"count_parents", "SELECT count(*) FROM parents"};
constexpr Query remove_parent{"remove_parent", "DELETE FROM parents WHERE id = $1"};
constexpr Query take{"take", "UPDATE children SET stock = stock - 1 WHERE id = $1 AND stock >= 1"};
constexpr Query take_blindly{"take_blindly", "UPDATE children SET stock = stock - $2 WHERE id = $1"};
constexpr Query stock_of{"stock_of", "SELECT stock FROM children WHERE id = $1"};
constexpr Query stock_held = FOR_CHANGE("stock_held", "SELECT stock FROM children WHERE id = $1");
constexpr Query set_stock{"set_stock", "UPDATE children SET stock = $2 WHERE id = $1"};
constexpr Query keep{"keep", "INSERT INTO kept (id, words, number, yes) VALUES ($1, $2, $3, $4)"};
constexpr Query claims_left{"claims_left", "SELECT count(*) FROM idempotency_keys"};
constexpr Query kept{"kept", "SELECT words, number, yes FROM kept WHERE id = $1"};

struct Kept {
  std::optional<std::string> words;
  std::optional<std::int64_t> number;
  std::optional<bool> yes;
  friend bool operator==(const Kept&, const Kept&) = default;
};
BOOST_DESCRIBE_STRUCT(Kept, (), (words, number, yes))

using Work = std::function<Task<Result<void>>(Transaction&)>;

Task<Result<void>> create_tables(Transaction& tx) {
  for (const auto* query : {&create_parents, &create_children, &create_values}) CO_CHECK(co_await tx.run(*query, {}));
  co_return Result<void>();
}

Task<Result<void>> empty_tables(Transaction& tx) {
  for (const auto* query : {&empty_children, &empty_parents, &empty_values}) CO_CHECK(co_await tx.run(*query, {}));
  co_return Result<void>();
}

Task<Result<void>> parent_in(Transaction& tx, std::int64_t id, std::string label) {
  co_return co_await perform(tx, add_parent, id, label);
}

Task<Result<void>> child_in(Transaction& tx, std::int64_t id, std::int64_t parent, std::int64_t place, std::int64_t stock) {
  co_return co_await perform(tx, add_child, id, parent, place, stock);
}

Task<Result<void>> take_in(Transaction& tx, std::int64_t child, bool& taken) {
  CO_TRY(const auto changed, co_await execute(tx, take, child));
  taken = changed == 1;
  co_return Result<void>();
}

Task<Result<void>> count_up_in(Transaction& tx, std::int64_t child) {
  CO_TRY(const auto stock, co_await number(tx, stock_held, child));
  co_return co_await perform(tx, set_stock, child, stock + 1);
}

Task<Result<void>> two_parents_in(Transaction& tx, std::int64_t first, std::int64_t second) {
  CO_CHECK(co_await parent_in(tx, first, fmt::format("p{}", first)));
  co_return co_await parent_in(tx, second, fmt::format("p{}", second));
}

Task<Result<void>> ignore_a_failure_in(Transaction& tx) {
  CO_CHECK(co_await parent_in(tx, 1, "first"));
  (void)co_await parent_in(tx, 2, "first");  // taken
  co_return Result<void>();
}

Task<Result<void>> change_mind_in(Transaction& tx) {
  CO_CHECK(co_await parent_in(tx, 1, "first"));
  co_return fail(Code::gone, "Changed my mind.", "CHANGED_MIND", "as it was");
}

}  // namespace

template <class World>
class DatabaseContract : public testing::Test {
 protected:
  void SetUp() override {
    static bool prepared = false;
    database = the<World>().open();
    if (!std::exchange(prepared, true)) ASSERT_TRUE(run(create_tables));
    const auto emptied = run(empty_tables);
    ASSERT_TRUE(emptied) << why(emptied);
  }

  Result<void> run(Work work, milliseconds limit = milliseconds(10'000)) { return run_on(*database, Access::write, std::move(work), limit); }

  static Result<void> run_on(Database& where, Access access, Work work, milliseconds limit = milliseconds(10'000)) {
    const auto context = within(limit);
    return await(where.run(context, access, std::move(work)));
  }

  Result<std::int64_t> number_of(const Query& query, Params params = {}) {
    const auto context = within(milliseconds(10'000));
    return await(read(*database, context, [&](Transaction& tx) { return number_bound(tx, query, params); }));
  }

  std::int64_t parents() { return number_of(count_parents).value_or(-1); }

  std::unique_ptr<Database> database;
};

using Stores = testing::Types<SqliteWorld, PostgresWorld>;
TYPED_TEST_SUITE(DatabaseContract, Stores);

TYPED_TEST(DatabaseContract, ValuesComeBackAsTheyWentIn) {
  const std::string large(1'000'000, 'x');
  const std::vector<Kept> all{
      {"هواتف · naïve · 📦 \"quoted\" \\ 'single' $1 ; --", 0, true},
      {"", std::numeric_limits<std::int64_t>::max(), false},
      {std::nullopt, std::nullopt, std::nullopt},
      {"\n\t\x7f", std::numeric_limits<std::int64_t>::min(), std::nullopt},
      {large, -1, true},
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& row = all[i];
    const auto stored = this->run([&](Transaction& tx) { return perform(tx, keep, i, row.words, row.number, row.yes); });
    ASSERT_TRUE(stored) << why(stored);
    const auto context = within(milliseconds(5000));
    const auto found = await(read(*this->database, context, [&](Transaction& tx) { return select_one<Kept>(tx, kept, i); }));
    ASSERT_TRUE(found && *found) << why(found);
    EXPECT_EQ(**found, row) << "row " << i;
  }
}

TYPED_TEST(DatabaseContract, RefusesWhatAnotherStoreCouldNotKeep) {
  const auto outcome = this->run([](Transaction& tx) { return parent_in(tx, 1, std::string("a\0b", 3)); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::invalid);
  EXPECT_EQ(this->parents(), 0);
}

TYPED_TEST(DatabaseContract, AnErrorRollsBackAndIsReturnedAsItIs) {
  const auto outcome = this->run(change_mind_in);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::gone);
  EXPECT_EQ(outcome.error().name, "CHANGED_MIND");
  EXPECT_EQ(outcome.error().detail, "as it was");
  EXPECT_EQ(this->parents(), 0);
}

TYPED_TEST(DatabaseContract, AFailedStatementEndsItsWork) {
  const auto outcome = this->run(ignore_a_failure_in);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::internal);
  EXPECT_EQ(outcome.error().name, "FAILED_STATEMENT");
  EXPECT_EQ(this->parents(), 0);
}

TYPED_TEST(DatabaseContract, ViolationsAreConflictsThatNameTheirColumn) {
  ASSERT_TRUE(this->run([](Transaction& tx) { return two_parents_in(tx, 1, 2); }));
  ASSERT_TRUE(this->run([](Transaction& tx) { return child_in(tx, 1, 1, 1, 5); }));
  const auto violates = [&](Work work, std::string_view name, std::string_view detail) {
    const auto outcome = this->run(std::move(work));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::conflict) << why(outcome);
    EXPECT_EQ(outcome.error().name, name);
    if (!detail.empty()) EXPECT_EQ(outcome.error().detail, detail);
  };
  violates([](Transaction& tx) { return parent_in(tx, 3, "p1"); }, "UNIQUE", "parents.label");
  violates([](Transaction& tx) { return parent_in(tx, 1, "other"); }, "UNIQUE", "parents.id");
  violates([](Transaction& tx) { return child_in(tx, 2, 1, 1, 5); }, "UNIQUE", "children.parent, children.place");
  violates([](Transaction& tx) { return child_in(tx, 2, 99, 1, 5); }, "FOREIGN_KEY", "");
  violates([](Transaction& tx) { return perform(tx, remove_parent, 1); }, "FOREIGN_KEY", "");
  violates([](Transaction& tx) { return perform(tx, take_blindly, 1, 6); }, "CHECK", "stock_not_negative");
  EXPECT_EQ(this->number_of(stock_of, codec::params_of(1)).value_or(-1), 5);
}

TYPED_TEST(DatabaseContract, OnlyChangesCountAsAffected) {
  ASSERT_TRUE(this->run([](Transaction& tx) { return two_parents_in(tx, 1, 2); }));
  static constexpr Query rename{"rename", "UPDATE parents SET label = label || '!'"};
  static constexpr Query returning{"returning", "INSERT INTO parents (id, label) VALUES ($1, $2) RETURNING id"};
  static constexpr Query all{"all", "SELECT id FROM parents ORDER BY id"};
  static constexpr auto count = [](Transaction& tx, std::vector<std::int64_t>& counts) -> Task<Result<void>> {
    for (const auto* query : {&rename, &all, &remove_parent, &remove_parent}) {
      CO_TRY(const auto rows, co_await tx.run(*query, query == &remove_parent ? codec::params_of(2) : Params()));
      counts.push_back(rows.affected);
    }
    CO_TRY(const auto inserted, co_await tx.run(returning, codec::params_of(7, "seven")));
    counts.push_back(inserted.affected);
    counts.push_back(static_cast<std::int64_t>(inserted.count()));
    co_return Result<void>();
  };
  std::vector<std::int64_t> counts;
  ASSERT_TRUE(this->run([&](Transaction& tx) { return count(tx, counts); }));
  EXPECT_EQ(counts, (std::vector<std::int64_t>{2, 0, 1, 0, 1, 1}));
}

TYPED_TEST(DatabaseContract, RunEachRunsInOrderAndStopsAtTheFirstError) {
  static constexpr auto insert_all = [](Transaction& tx, std::vector<Params> sets, std::size_t& results) -> Task<Result<void>> {
    CO_TRY(const auto rows, co_await tx.run_each(add_parent, std::move(sets)));
    results = rows.size();
    co_return Result<void>();
  };
  std::size_t results = 99;
  ASSERT_TRUE(this->run([&](Transaction& tx) { return insert_all(tx, {}, results); }));
  EXPECT_EQ(results, 0U);
  std::vector<Params> many;
  for (int i = 0; i < 1000; ++i) many.push_back(codec::params_of(i, fmt::format("p{}", i)));
  const auto outcome = this->run([&](Transaction& tx) { return insert_all(tx, many, results); });
  ASSERT_TRUE(outcome) << why(outcome);
  EXPECT_EQ(results, 1000U);
  EXPECT_EQ(this->parents(), 1000);

  std::vector<Params> faulty;
  for (int i = 1000; i < 1010; ++i) faulty.push_back(codec::params_of(i, i == 1005 ? "p1" : fmt::format("p{}", i)));
  const auto failed = this->run([&](Transaction& tx) { return insert_all(tx, faulty, results); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().detail, "parents.label");
  EXPECT_EQ(this->parents(), 1000);
}

TYPED_TEST(DatabaseContract, WhatMayWaitIsDoneBeforeTheNextStatementAndWithTheCommit) {
  static constexpr auto insert = [](Transaction& tx, std::int64_t first, std::int64_t last, bool good) -> Task<Result<void>> {
    for (auto id = first; id <= last; ++id) CO_CHECK(co_await perform_later(tx, add_parent, id, fmt::format("p{}", id)));
    co_return good ? Result<void>() : Result<void>(fail(Code::gone, "no"));
  };
  static constexpr auto insert_and_count = [](Transaction& tx, std::int64_t& count) -> Task<Result<void>> {
    CO_CHECK(co_await insert(tx, 11, 12, true));
    CO_TRY(count, co_await number(tx, count_parents));
    CO_CHECK(co_await insert(tx, 13, 13, true));
    co_return Result<void>();
  };
  ASSERT_TRUE(this->run([](Transaction& tx) { return insert(tx, 1, 3, true); }));
  EXPECT_EQ(this->parents(), 3);
  std::int64_t seen = 0;
  ASSERT_TRUE(this->run([&](Transaction& tx) { return insert_and_count(tx, seen); }));
  EXPECT_EQ(seen, 5);
  EXPECT_EQ(this->parents(), 6);

  const auto given_up = this->run([](Transaction& tx) { return insert(tx, 20, 21, false); });
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, Code::gone);
  for (int again = 0; again < 3; ++again) {
    const auto failed = this->run([](Transaction& tx) { return insert(tx, 0, 2, true); });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Code::conflict) << why(failed);
    EXPECT_EQ(failed.error().name, "UNIQUE");
    EXPECT_EQ(this->parents(), 6);
  }
  ASSERT_TRUE(this->run([](Transaction& tx) { return insert(tx, 30, 30, true); }));
  EXPECT_EQ(this->parents(), 7);
}

TYPED_TEST(DatabaseContract, ManyRowsThatMayWaitAreAllThereOrNone) {
  static constexpr auto insert = [](Transaction& tx, std::int64_t first, std::int64_t count, std::int64_t spoilt) -> Task<Result<void>> {
    std::vector<Params> sets;
    for (auto id = first; id < first + count; ++id) sets.push_back(codec::params_of(id, id == spoilt ? "p1" : fmt::format("p{}", id)));
    return tx.later(add_parent, std::move(sets));
  };
  std::int64_t there = 0;
  for (const std::int64_t count : {0, 1, 2, 3, 31, 32, 33, 64, 77, 1000}) {
    const auto outcome = this->run([&](Transaction& tx) { return insert(tx, there, count, -1); });
    ASSERT_TRUE(outcome) << why(outcome);
    there += count;
    EXPECT_EQ(this->parents(), there);
  }
  for (const std::int64_t spoilt : {there, there + 40, there + 99}) {
    const auto failed = this->run([&](Transaction& tx) { return insert(tx, there, 100, spoilt); });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().name, "UNIQUE");
    EXPECT_EQ(failed.error().detail, "parents.label");
    EXPECT_EQ(this->parents(), there);
  }
}

TYPED_TEST(DatabaseContract, HooksRunOnceAfterTheCommitAndNeverWithoutIt) {
  std::atomic<int> calls{0};
  static constexpr auto hooked = [](Transaction& tx, std::atomic<int>& counter, bool good) -> Task<Result<void>> {
    tx.on_commit([&counter] { ++counter; });
    CO_CHECK(co_await parent_in(tx, 1, "first"));
    co_return good ? Result<void>() : Result<void>(fail(Code::gone, "no"));
  };
  ASSERT_FALSE(this->run([&](Transaction& tx) { return hooked(tx, calls, false); }));
  EXPECT_EQ(calls, 0);
  ASSERT_TRUE(this->run([&](Transaction& tx) { return hooked(tx, calls, true); }));
  EXPECT_EQ(calls, 1);
}

TYPED_TEST(DatabaseContract, AReadingWorkSeesOneSnapshot) {
  ASSERT_TRUE(this->run([](Transaction& tx) { return parent_in(tx, 1, "first"); }));
  auto other = the<TypeParam>().open();
  static constexpr auto look_twice = [](Transaction& tx, Database& beside, std::int64_t& before, std::int64_t& after) -> Task<Result<void>> {
    CO_TRY(before, co_await number(tx, count_parents));
    const auto context = within(milliseconds(5000));  // a change beside this work, awaited by blocking: nothing else may wait here
    const auto changed =
        await_on(stage().threads.at(3), beside.run(context, Access::write, [](Transaction& inner) { return parent_in(inner, 2, "second"); }));
    if (!changed) co_return Failure(changed.error());
    CO_TRY(after, co_await number(tx, count_parents));
    co_return Result<void>();
  };
  std::int64_t before = 0, after = 0;
  const auto outcome = this->run_on(*this->database, Access::read, [&](Transaction& tx) { return look_twice(tx, *other, before, after); });
  ASSERT_TRUE(outcome) << why(outcome);
  EXPECT_EQ(before, 1);
  EXPECT_EQ(after, 1) << "a change that was committed meanwhile was seen";
  EXPECT_EQ(this->parents(), 2);
}

TYPED_TEST(DatabaseContract, NothingUncommittedIsSeen) {
  auto other = the<TypeParam>().open();
  std::promise<void> written, looked;
  static constexpr auto write_slowly = [](Transaction& tx, std::promise<void>& done, std::future<void> go_on) -> Task<Result<void>> {
    CO_CHECK(co_await parent_in(tx, 1, "first"));
    done.set_value();
    go_on.wait_for(seconds(5));
    co_return Result<void>();
  };
  auto writing = std::async(std::launch::async, [&] {
    const auto context = within(milliseconds(10'000));
    return await_on(stage().threads.at(3),
                    other->run(context, Access::write, [&](Transaction& tx) { return write_slowly(tx, written, looked.get_future()); }));
  });
  written.get_future().wait();
  EXPECT_EQ(this->parents(), 0);
  looked.set_value();
  ASSERT_TRUE(writing.get());
  EXPECT_EQ(this->parents(), 1);
}

TYPED_TEST(DatabaseContract, FiftyUnitsAreSoldFiftyTimes) {
  ASSERT_TRUE(this->run([](Transaction& tx) { return parent_in(tx, 1, "first"); }));
  ASSERT_TRUE(this->run([](Transaction& tx) { return child_in(tx, 1, 1, 1, 50); }));
  const auto context = within(milliseconds(20'000));
  std::vector<std::future<Result<void>>> buyers;
  std::deque<bool> taken(200);
  for (auto& mine : taken) {
    buyers.push_back(boost::asio::co_spawn(stage().threads.next(),
                                           this->database->run(context, Access::write, [&mine](Transaction& tx) { return take_in(tx, 1, mine); }),
                                           boost::asio::use_future));
  }
  for (auto& buyer : buyers) {
    const auto outcome = buyer.get();
    EXPECT_TRUE(outcome) << why(outcome);
  }
  EXPECT_EQ(std::count(taken.begin(), taken.end(), true), 50);
  EXPECT_EQ(this->number_of(stock_of, codec::params_of(1)).value_or(-1), 0);
}

TYPED_TEST(DatabaseContract, WhatIsReadForChangeStaysUntilItIsWritten) {
  ASSERT_TRUE(this->run([](Transaction& tx) { return parent_in(tx, 1, "first"); }));
  ASSERT_TRUE(this->run([](Transaction& tx) { return child_in(tx, 1, 1, 1, 0); }));
  const auto context = within(milliseconds(20'000));
  std::vector<std::future<Result<void>>> works;
  for (int i = 0; i < 100; ++i) {
    works.push_back(boost::asio::co_spawn(stage().threads.next(),
                                          this->database->run(context, Access::write, [](Transaction& tx) { return count_up_in(tx, 1); }),
                                          boost::asio::use_future));
  }
  for (auto& work : works) {
    const auto outcome = work.get();
    EXPECT_TRUE(outcome) << why(outcome);
  }
  EXPECT_EQ(this->number_of(stock_of, codec::params_of(1)).value_or(-1), 100);
}

TYPED_TEST(DatabaseContract, OneFailureAmongMany) {  // SQLite commits works in groups: each succeeds or fails for itself
  const auto context = within(milliseconds(20'000));
  std::vector<std::future<Result<void>>> works;
  for (std::int64_t i = 0; i < 100; ++i) {
    works.push_back(boost::asio::co_spawn(
        stage().threads.next(),
        this->database->run(context, Access::write,
                            [i](Transaction& tx) { return i % 10 == 9 ? ignore_a_failure_in(tx) : parent_in(tx, 100 + i, fmt::format("p{}", i)); }),
        boost::asio::use_future));
  }
  for (std::size_t i = 0; i < works.size(); ++i) EXPECT_EQ(works[i].get().has_value(), i % 10 != 9) << i;
  EXPECT_EQ(this->parents(), 90);
}

TYPED_TEST(DatabaseContract, ManyTextsOfStatements) {  // more than a connection keeps prepared
  for (int i = 0; i < 600; ++i) {
    const std::string sql = fmt::format("SELECT {} + $1", i);
    const auto context = within(milliseconds(5000));
    static constexpr auto ask = [](Transaction& tx, const std::string& text, std::int64_t& out) -> Task<Result<void>> {
      CO_TRY(out, co_await number(tx, Query{"sum", text}, 1));
      co_return Result<void>();
    };
    std::int64_t sum = 0;
    const auto outcome = await(this->database->run(context, Access::read, [&](Transaction& tx) { return ask(tx, sql, sum); }));
    ASSERT_TRUE(outcome) << why(outcome);
    ASSERT_EQ(sum, i + 1);
  }
}

TYPED_TEST(DatabaseContract, WhatComesTooLateIsNotBegun) {
  const auto outcome = this->run([](Transaction& tx) { return parent_in(tx, 1, "late"); }, milliseconds(-10));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::timed_out) << why(outcome);
  EXPECT_EQ(this->parents(), 0);
}

TYPED_TEST(DatabaseContract, AFullQueueRefusesAtOnceAndWaitsEndInTime) {
  auto narrow = the<TypeParam>().open({.connections = 1, .queue = 3});
  ASSERT_TRUE(await(narrow->ping(within(milliseconds(5000)))));
  const auto patient = within(milliseconds(10'000));
  auto busy = boost::asio::co_spawn(stage().threads.at(1),
                                    narrow->run(patient, Access::write, [](Transaction& tx) { return TypeParam::dawdle(tx, milliseconds(700)); }),
                                    boost::asio::use_future);
  std::this_thread::sleep_for(milliseconds(150));
  const auto hasty = within(milliseconds(250));
  std::vector<std::future<Result<void>>> waiting;
  for (std::int64_t i = 0; i < 3; ++i) {
    waiting.push_back(boost::asio::co_spawn(
        stage().threads.at(1),
        narrow->run(i == 0 ? patient : hasty, Access::write, [i](Transaction& tx) { return parent_in(tx, i, fmt::format("p{}", i)); }),
        boost::asio::use_future));
  }
  std::this_thread::sleep_for(milliseconds(50));
  const Elapsed elapsed;
  const auto refused = await(narrow->run(patient, Access::write, [](Transaction& tx) { return parent_in(tx, 9, "nine"); }));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unavailable);
  EXPECT_EQ(refused.error().name, "BUSY");
  EXPECT_GT(refused.error().retry_after.count(), 0);
  EXPECT_LT(elapsed.time(), milliseconds(300));
  EXPECT_TRUE(busy.get());
  EXPECT_TRUE(waiting[0].get());
  for (int i = 1; i < 3; ++i) {
    const auto late = waiting[static_cast<std::size_t>(i)].get();
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Code::timed_out) << why(late);
  }
  EXPECT_EQ(this->parents(), 1);
}

TYPED_TEST(DatabaseContract, FourStartersMigrateOnce) {
  const auto table = fresh_name("grown");
  const std::string first = fmt::format("CREATE TABLE {0} (id @SERIAL@, word TEXT NOT NULL);\nINSERT INTO {0} (word) VALUES ('one');\n", table);
  const std::string second = fmt::format("ALTER TABLE {0} ADD COLUMN more TEXT;\nINSERT INTO {0} (word) VALUES ('two');\n", table);
  const std::vector<Migration> old_program{{1, "first", first}}, new_program{{1, "first", first}, {2, "second", second}};
  TypeParam world;  // migrations are numbered per database: one of our own
  std::vector<std::unique_ptr<Database>> replicas;
  std::vector<std::future<Result<void>>> starts;
  const auto context = within(milliseconds(20'000));
  for (std::size_t i = 0; i < 4; ++i) {
    replicas.push_back(world.open());
    starts.push_back(boost::asio::co_spawn(stage().threads.at(i), migrate(*replicas.back(), context, "contract", i < 2 ? old_program : new_program),
                                           boost::asio::use_future));
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const auto outcome = starts[i].get();
    // An old program may find that a new one was quicker, and says so instead of working on it.
    if (i < 2 && !outcome)
      EXPECT_EQ(outcome.error().name, "NEWER_DATA") << why(outcome);
    else
      EXPECT_TRUE(outcome) << why(outcome);
  }
  const std::string count = fmt::format("SELECT count(*) FROM {}", table);
  const auto rows = await(read(*replicas[0], context, [&](Transaction& tx) { return number(tx, Query{"count", count}); }));
  ASSERT_TRUE(rows) << why(rows);
  EXPECT_EQ(*rows, 2);
  const auto refused = await(migrate(*replicas[0], context, "contract", old_program));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().name, "NEWER_DATA");
}

TYPED_TEST(DatabaseContract, OldClaimsAreForgottenAFewAtATime) {
  TypeParam world;
  const auto store = world.open();
  const auto context = within(milliseconds(20'000));
  const std::vector<Migration> schema{{1, "idempotency", idempotency_schema}};
  ASSERT_TRUE(await(migrate(*store, context, "contract", schema)));
  const Instant begin{1'700'000'000'000};
  for (int i = 0; i < 30; ++i) {
    const IdempotencyKey key{"user", fmt::format("key {}", i), "hash"};
    ASSERT_TRUE(await(write(*store, context, claim, key, fmt::format("order {}", i), begin + milliseconds(i))));
  }
  for (const auto expected : {10, 10, 5, 0}) {
    const auto forgotten = await(write(*store, context, forget_claims, begin + milliseconds(25), std::int64_t{10}));
    ASSERT_TRUE(forgotten) << why(forgotten);
    EXPECT_EQ(*forgotten, expected);
  }
  EXPECT_EQ(await(read(*store, context, [](Transaction& tx) { return number(tx, claims_left); })).value_or(-1), 5);
}

}  // namespace shop::contract

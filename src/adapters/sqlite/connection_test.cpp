#include "adapters/sqlite/connection.hpp"

#include <gtest/gtest.h>

#include "adapters/simulated/disk.hpp"
#include "adapters/sqlite/gathering.hpp"

namespace shop::sqlite {
namespace {

using simulated::Dice;
using simulated::Disk;
using Table = std::map<std::int64_t, std::string>;

constexpr const char* path = "shop.db";
constexpr Query put{"put", "INSERT INTO kept (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body"};
constexpr Query remove{"remove", "DELETE FROM kept WHERE id = $1"};
constexpr Query all{"all", "SELECT id, body FROM kept"};
constexpr Query check{"check", "PRAGMA integrity_check"};

Table table_of(Connection& connection) {
  const auto integrity = connection.run(check, {});
  EXPECT_TRUE(integrity && integrity->cells.size() == 1 && std::get<std::string>(integrity->cells[0]) == "ok");
  Table table;
  const auto rows = connection.run(all, {});
  EXPECT_TRUE(rows);
  for (std::size_t i = 0; rows && i < rows->cells.size(); i += 2) {
    table.emplace(std::get<std::int64_t>(rows->cells[i]), std::get<std::string>(rows->cells[i + 1]));
  }
  return table;
}

// What a new process finds on a disk with this content, through SQLite alone.
Table found_in(Disk::Content content) {
  Disk disk(Dice(1));
  disk.put(std::move(content));
  Connection connection(path, Connection::Mode::writer, disk.vfs());
  return table_of(connection);
}

// Two writers in turn, as of two processes, whose cache is too small for what they change; a disk that gets full and fails to flush.
// After every transaction it is looked at what a kill would leave; every now and then, what a power failure does leave.
class Ordeal {
 public:
  Ordeal(std::uint64_t seed, Connection::Mode mode) : mode_(mode), dice_(seed), disk_(dice_.split()) {
    open();
    EXPECT_TRUE(writers_[0]->execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, body TEXT NOT NULL)"));
    EXPECT_TRUE(writers_[0]->execute("PRAGMA wal_checkpoint(PASSIVE)"));  // with a flush
  }

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      transaction(*writers_[dice_.below(2)]);
      const auto left = found_in(disk_.content());
      ASSERT_TRUE(left == sure_ || (perhaps_ && left == *perhaps_)) << "step " << step << ": a kill would leave something else";
      if (dice_.chance(30)) fail_power();
    }
  }

  std::int64_t refused() const { return disk_.refused(); }
  std::int64_t flush_failed() const { return disk_.flush_failed(); }

 private:
  void open() {
    gathering_.emplace(disk_.vfs());
    for (auto& writer : writers_) {
      writer = std::make_unique<Connection>(path, mode_, gathering_->name(), 40);
      EXPECT_TRUE(writer->execute("PRAGMA cache_size=6"));
    }
  }

  void close() {
    for (auto& writer : writers_) writer.reset();
    gathering_.reset();
  }

  void transaction(Connection& writer) {
    disk_.set_full(dice_.chance(100));
    disk_.set_flush_failures(dice_.chance(100) ? 300 : 0);
    Table changed = sure_;
    auto outcome = writer.execute("BEGIN IMMEDIATE");
    ASSERT_TRUE(outcome);
    for (auto works = 1 + dice_.below(4); works > 0 && outcome; --works) {
      Table before = changed;
      outcome = writer.execute("SAVEPOINT work");
      for (auto changes = dice_.below(30); changes > 0 && outcome; --changes) outcome = change(writer, changed);
      if (outcome && dice_.chance(200)) {
        changed = std::move(before);
        outcome = writer.execute("ROLLBACK TO work");
      }
      if (outcome) outcome = writer.execute("RELEASE work");
    }
    const bool gives_up = dice_.chance(200);
    if (outcome) outcome = writer.execute(gives_up ? "ROLLBACK" : "COMMIT");
    if (!outcome && writer.in_transaction()) EXPECT_TRUE(writer.execute("ROLLBACK"));
    if (outcome && !gives_up && changed != sure_) {
      former_.push_back(std::exchange(sure_, std::move(changed)));
      perhaps_.reset();
    } else if (!outcome && outcome.error().name != "DISK_FULL") {
      perhaps_ = std::move(changed);  // a flush has failed: nobody knows
    }
    disk_.set_full(false);
    disk_.set_flush_failures(0);
    ASSERT_TRUE(perhaps_ || table_of(writer) == sure_);
  }

  Result<void> change(Connection& writer, Table& table) {
    const auto id = static_cast<std::int64_t>(dice_.below(300));
    if (dice_.chance(300)) {
      CHECK(writer.run(remove, {id}));
      table.erase(id);
      return {};
    }
    std::string body(dice_.below(3000), static_cast<char>('a' + dice_.below(26)));
    CHECK(writer.run(put, {id, body}));
    table[id] = std::move(body);
    return {};
  }

  void fail_power() {
    disk_.crash(Disk::Failure::power);
    close();
    disk_.recover();
    open();
    const auto left = table_of(*writers_[0]);
    const bool older = mode_ == Connection::Mode::volatile_writer && std::ranges::find(former_, left) != former_.end();
    EXPECT_TRUE(older || left == sure_ || (perhaps_ && left == *perhaps_)) << "acknowledged and lost";
    sure_ = left;
    perhaps_.reset();
  }

  const Connection::Mode mode_;
  Dice dice_;
  Disk disk_;
  std::optional<Gathering> gathering_;
  std::unique_ptr<Connection> writers_[2];
  Table sure_;
  std::vector<Table> former_;
  std::optional<Table> perhaps_;  // instead, after a commit of which nobody knows
};

class ConnectionTest : public testing::TestWithParam<Connection::Mode> {};

TEST_P(ConnectionTest, LosesNothingThatWasAcknowledged) {
  std::int64_t refused = 0, flush_failed = 0;
  for (std::uint64_t seed = 1; seed <= 15 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Ordeal ordeal(seed, GetParam());
    ordeal.run(60);
    refused += ordeal.refused();
    flush_failed += ordeal.flush_failed();
  }
  EXPECT_GT(refused, 10);
  EXPECT_GT(flush_failed, 10);
}

INSTANTIATE_TEST_SUITE_P(Modes, ConnectionTest, testing::Values(Connection::Mode::writer, Connection::Mode::volatile_writer),
                         [](const auto& info) { return info.param == Connection::Mode::writer ? "Durable" : "Volatile"; });

}  // namespace
}  // namespace shop::sqlite

#include "adapters/sqlite/gathering.hpp"

#include <gtest/gtest.h>

#include "adapters/simulated/disk.hpp"
#include "adapters/sqlite/connection.hpp"

namespace shop::sqlite {
namespace {

constexpr Query put{"put", "INSERT INTO kept (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body"};

class GatheringTest : public testing::TestWithParam<Connection::Mode> {};

TEST_P(GatheringTest, WritesACommitAtOnce) {
  simulated::Disk disk(simulated::Dice(1));
  const Gathering gathering(disk.vfs());
  Connection connection("shop.db", GetParam(), gathering.name(), 100'000);
  ASSERT_TRUE(connection.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, body TEXT NOT NULL)"));
  const auto before = disk.writes();
  ASSERT_TRUE(connection.execute("BEGIN IMMEDIATE"));
  for (std::int64_t id = 0; id < 20; ++id) ASSERT_TRUE(connection.run(put, {id, std::string(3000, 'x')}));
  ASSERT_TRUE(connection.execute("COMMIT"));
  EXPECT_EQ(disk.writes() - before, 1);
  ASSERT_TRUE(connection.execute("BEGIN IMMEDIATE"));
  for (std::int64_t id = 0; id < 100; ++id) ASSERT_TRUE(connection.run(put, {id, std::string(3000, 'y')}));
  ASSERT_TRUE(connection.execute("COMMIT"));
  EXPECT_EQ(disk.writes() - before, 5) << "100 pages and more, at most 128 KiB at once";
}

INSTANTIATE_TEST_SUITE_P(Modes, GatheringTest, testing::Values(Connection::Mode::writer, Connection::Mode::volatile_writer),
                         [](const auto& info) { return info.param == Connection::Mode::writer ? "Durable" : "Volatile"; });

}  // namespace
}  // namespace shop::sqlite

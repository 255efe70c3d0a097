#include "adapters/postgres/many_rows.hpp"

#include <gtest/gtest.h>

namespace shop::postgres {
namespace {

std::vector<Params> sets(std::size_t count) {
  std::vector<Params> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back({static_cast<std::int64_t>(i), std::string("text")});
  return all;
}

constexpr Query plain{"plain", "INSERT INTO t (a, b) VALUES ($1, $2)"};

TEST(ManyRows, AsFewStatementsAsPowersOfTwoAllow) {
  ManyRows rows;
  const auto made = rows.statements(plain, sets(7));
  ASSERT_EQ(made.size(), 3);
  EXPECT_EQ(made[0].sql, "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4), ($5, $6), ($7, $8)");
  EXPECT_EQ(made[1].sql, "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)");
  EXPECT_EQ(made[2].sql, plain.sql);
  EXPECT_EQ(made[0].params.size(), 8);
  EXPECT_EQ(std::get<std::int64_t>(made[1].params[2]), 5);  // in order
  EXPECT_EQ(std::get<std::int64_t>(made[2].params[0]), 6);
  EXPECT_EQ(rows.statements(plain, sets(100)).size(), 4);  // 32 + 32 + 32 + 4
  EXPECT_TRUE(rows.statements(plain, {}).empty());
}

TEST(ManyRows, WhatIsIgnoredMayBeIgnoredTogether) {
  ManyRows rows;
  const auto made = rows.statements({"ignore", "INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT DO NOTHING"}, sets(2));
  ASSERT_EQ(made.size(), 1);
  EXPECT_EQ(made[0].sql, "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING");
}

TEST(ManyRows, WhatIsNotTheSameForSeveralStaysOneForEach) {
  ManyRows rows;
  for (const std::string_view sql : {"INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT (a) DO UPDATE SET b = excluded.b",
                                     "INSERT INTO t (a, b) VALUES ($1, $2) RETURNING a", "INSERT INTO t (a, b) VALUES ($2, $1)",
                                     "INSERT INTO t (a, b) VALUES ($1, lower($2))", "INSERT INTO t (a, b) SELECT $1, $2",
                                     "UPDATE t SET b = $2 WHERE a = $1", "DELETE FROM t WHERE a = $1 AND b = $2"}) {
    const auto made = rows.statements({"other", sql}, sets(3));
    ASSERT_EQ(made.size(), 3) << sql;
    for (const auto& statement : made) EXPECT_EQ(statement.sql, sql);
  }
}

}  // namespace
}  // namespace shop::postgres

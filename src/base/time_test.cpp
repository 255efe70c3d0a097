#include "base/time.hpp"

#include <gtest/gtest.h>

namespace shop {
namespace {

TEST(Time, InstantsAreWrittenAndReadBack) {
  EXPECT_EQ(Instant{0}.text(), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(Instant{-1}.text(), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(Instant{1756842082777}.text(), "2025-09-02T19:41:22.777Z");
  for (const auto* text : {"0001-01-01T00:00:00.000Z", "0999-02-28T09:05:00.070Z", "2000-02-29T12:00:59.999Z", "9999-12-31T23:59:59.999Z"}) {
    EXPECT_EQ(Instant::parse(text).value().text(), text);
  }
  for (std::int64_t ms = -62'000'000'000'000; ms < 250'000'000'000'000; ms += 777'777'777'777) {
    EXPECT_EQ(Instant::parse(Instant{ms}.text()).value_or(Instant{}).ms, ms);
  }
}

}  // namespace
}  // namespace shop

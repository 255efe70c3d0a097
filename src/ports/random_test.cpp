#include "ports/random.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace shop {
namespace {

struct Counting final : Random {
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(state_ = state_ * 1103515245 + 12345, state_ >> 16);
  }

 private:
  std::uint32_t state_ = 1;
};

std::int64_t milliseconds_of(const Uuid& id) {
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | id.bytes[i];
  return ms;
}

TEST(Uuid7, SortsAsItWasMade) {
  Counting random;
  const Instant now{1'790'000'000'000};
  std::vector<std::string> ids;
  for (int i = 0; i < 10'000; ++i) ids.push_back(random.uuid7(now).text());  // more than the counter holds
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
  EXPECT_EQ(milliseconds_of(random.uuid7(Instant{now.ms + 100})), now.ms + 100);
  EXPECT_EQ(ids.front()[14], '7');
}

TEST(Uuid7, KeepsItsOrderWhenTheClockIsSetBackALittle) {
  Counting random;
  const auto before = random.uuid7(Instant{1'790'000'000'000}).text();
  EXPECT_LT(before, random.uuid7(Instant{1'789'999'999'990}).text());
  EXPECT_EQ(milliseconds_of(random.uuid7(Instant{1'780'000'000'000})), 1'780'000'000'000);
}

}  // namespace
}  // namespace shop

#include "base/money.hpp"

#include <gtest/gtest.h>

namespace shop {
namespace {

std::string shortest(std::string_view decimal) {
  const auto price = Price::parse(decimal);
  return price ? price->text() : "refused";
}

TEST(Price, KeepsTheShortestForm) {
  EXPECT_EQ(shortest("1299.99"), "1299.99");
  EXPECT_EQ(shortest("999"), "999");
  EXPECT_EQ(shortest("8.90"), "8.9");
  EXPECT_EQ(shortest("8.900"), "8.9");
  EXPECT_EQ(shortest("0"), "0");
  EXPECT_EQ(shortest("0.05"), "0.05");
  EXPECT_EQ(shortest("9999999999999.99"), "9999999999999.99");
}

TEST(Price, RefusesWhatIsNoPrice) {
  for (const auto* text : {"", ".", ".5", "5.", "-1", "+1", "1e3", "1,5", "1.005", "12345678901234", " 1", "0x10", "NaN", "1.2.3"}) {
    EXPECT_EQ(shortest(text), "refused") << text;
  }
}

TEST(Rate, IsAnExactDecimal) {
  EXPECT_EQ(Rate::parse("0.92")->micros, 920'000);
  EXPECT_EQ(Rate::parse("135.5")->text(), "135.5");
  EXPECT_FALSE(Rate::parse("0"));
  EXPECT_FALSE(Rate::parse("0.0000001"));
}

TEST(Money, ConvertsHalfUpToTwoDecimals) {
  const Currency eur{{'E', 'U', 'R'}};
  const auto converted = [&](std::int64_t minor, std::int64_t micros) { return convert(Money{minor, {}}, Rate{micros}, eur)->minor; };
  EXPECT_EQ(converted(129'999, 920'000), 119'599);  // 1195.9908
  EXPECT_EQ(converted(1, 500'000), 1);              // 0.005 -> 0.01
  EXPECT_EQ(converted(1, 499'999), 0);
  EXPECT_EQ(converted(-1, 500'000), -1);
}

TEST(Money, NeverOverflowsSilently) {
  const Money large{max_minor, {}};
  EXPECT_FALSE(add(large, Money{1, {}}));
  EXPECT_FALSE(times(large, 2));
  EXPECT_FALSE(times(large, INT64_MAX));
  EXPECT_FALSE(convert(large, Rate{999'999'999'999}, {}));
  EXPECT_EQ(times(Money{3, {}}, 4)->minor, 12);
}

TEST(Money, BoundsInAnotherCurrencyMeetExactlyWhatIsShown) {
  for (const Rate rate : {Rate{920'000}, Rate{135'500'000}, Rate{1'000'000}, Rate{7}}) {
    for (const std::int64_t shown : {0, 1, 5, 99, 100, 119'599, 1'000'000}) {
      const auto as_shown = [&](std::int64_t base) { return convert(Money{base, {}}, rate, {})->minor; };
      const auto low = base_at_least({shown}, rate).minor;
      EXPECT_GE(as_shown(low), shown);
      if (low > 0) EXPECT_LT(as_shown(low - 1), shown);
      const auto high = base_at_most({shown}, rate).minor;
      EXPECT_LE(as_shown(high), shown);
      EXPECT_GT(as_shown(high + 1), shown);
    }
  }
}

TEST(Money, OfTwoCurrenciesIsNotAdded) { EXPECT_FALSE(add(Money{1, {}}, Money{1, {{'E', 'U', 'R'}}})); }

}  // namespace
}  // namespace shop

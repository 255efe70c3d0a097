// Money: whole minor units with their currency, overflow-checked, never a double. Rates: exact decimals.
//
// Limits: amounts up to 10^15 minor units either way (ten million million), two decimals in every currency (the
// contract rounds to two); rates up to 10^6 with six decimals.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace shop {

// ISO 4217 alphabetic code, upper case.
struct Currency {
  std::array<char, 3> letters{'U', 'S', 'D'};

  static std::expected<Currency, std::string> parse(std::string_view text);  // case-insensitive
  std::string text() const { return {letters.data(), 3}; }

  static constexpr std::string_view schema_pattern = "^[A-Za-z]{3}$";

  friend auto operator<=>(const Currency&, const Currency&) = default;
};

struct Money {
  std::int64_t minor = 0;
  Currency currency;

  std::string text() const;  // shortest form: "1299.99", "999", "8.9"

  friend bool operator==(const Money&, const Money&) = default;
};

inline constexpr std::int64_t max_minor = 1'000'000'000'000'000;

// A decimal with at most two decimals, >= 0, as minor units: what a price is in a request and in a store, where the
// currency is the shop's base currency.
struct Price {
  std::int64_t minor = 0;

  static std::expected<Price, std::string> parse(std::string_view decimal);
  std::string text() const;

  static constexpr std::string_view schema_pattern = R"(^\d{1,13}(\.\d{1,2})?$)";

  friend auto operator<=>(const Price&, const Price&) = default;
};

// Units of a foreign currency for one of the base. > 0, at most six decimals.
struct Rate {
  std::int64_t micros = 1'000'000;

  static std::expected<Rate, std::string> parse(std::string_view decimal);
  std::string text() const;

  static constexpr std::string_view schema_pattern = R"(^\d{1,6}(\.\d{1,6})?$)";

  friend auto operator<=>(const Rate&, const Rate&) = default;
};

// Code::invalid when the result leaves the range, Code::internal when the currencies differ.
Result<Money> add(Money a, Money b);
Result<Money> times(Money a, std::int64_t count);
Result<Money> convert(Money a, Rate rate, Currency into);  // half away from zero to two decimals

// The lowest and the highest price in the base currency that is shown as at least, or at most, `shown`.
Price base_at_least(Price shown, Rate rate);
Price base_at_most(Price shown, Rate rate);

}  // namespace shop

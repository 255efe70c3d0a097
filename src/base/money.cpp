#include "base/money.hpp"

#include <cctype>

#include <fmt/format.h>

namespace shop {
namespace {

// Digits before the point are limited so that the value fits; `decimals` after it, no sign, no exponent.
std::expected<std::int64_t, std::string> parse_decimal(std::string_view text, int decimals, int whole_digits) {
  const auto bad = [&] {
    return std::unexpected(fmt::format("must be a decimal of at most {} digits and {} decimals", whole_digits, decimals));
  };
  std::int64_t value = 0;
  int whole = 0, fraction = -1;
  for (char c : text) {
    if (c == '.' && fraction < 0 && whole > 0) {
      fraction = 0;
      continue;
    }
    if (c < '0' || c > '9') return bad();
    if (fraction < 0 ? ++whole > whole_digits : ++fraction > decimals) {
      if (fraction > decimals && c == '0') continue;  // trailing zeros say nothing
      return bad();
    }
    value = value * 10 + (c - '0');
  }
  if (whole == 0 || fraction == 0) return bad();
  for (int i = fraction < 0 ? 0 : std::min(fraction, decimals); i < decimals; ++i) value *= 10;
  return value;
}

std::string decimal_text(std::int64_t value, int decimals) {
  std::int64_t scale = 1;
  for (int i = 0; i < decimals; ++i) scale *= 10;
  const bool negative = value < 0;
  const std::uint64_t magnitude = negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  std::string out = fmt::format("{}{}.{:0{}}", negative ? "-" : "", magnitude / static_cast<std::uint64_t>(scale),
                                magnitude % static_cast<std::uint64_t>(scale), decimals);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

Result<Money> in_range(__int128 minor, Currency currency) {
  if (minor > max_minor || minor < -max_minor) return fail(Code::invalid, "The amount is too large.", "AMOUNT_TOO_LARGE");
  return Money{static_cast<std::int64_t>(minor), currency};
}

}  // namespace

std::expected<Currency, std::string> Currency::parse(std::string_view text) {
  if (text.size() != 3) return std::unexpected("must be a currency code of three letters");
  Currency currency;
  for (std::size_t i = 0; i < 3; ++i) {
    if (!std::isalpha(static_cast<unsigned char>(text[i]))) {
      return std::unexpected("must be a currency code of three letters");
    }
    currency.letters[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[i])));
  }
  return currency;
}

std::string Money::text() const { return decimal_text(minor, 2); }

std::expected<Price, std::string> Price::parse(std::string_view decimal) {
  auto minor = parse_decimal(decimal, 2, 13);
  if (!minor) return std::unexpected(minor.error());
  return Price{*minor};
}

std::string Price::text() const { return decimal_text(minor, 2); }

std::expected<Rate, std::string> Rate::parse(std::string_view decimal) {
  auto micros = parse_decimal(decimal, 6, 6);
  if (!micros) return std::unexpected(micros.error());
  if (*micros == 0) return std::unexpected("must be greater than 0");
  return Rate{*micros};
}

std::string Rate::text() const { return decimal_text(micros, 6); }

Result<Money> add(Money a, Money b) {
  if (a.currency != b.currency) return fail(Code::internal, "Amounts of two currencies cannot be added.");
  return in_range(static_cast<__int128>(a.minor) + b.minor, a.currency);
}

Result<Money> times(Money a, std::int64_t count) { return in_range(static_cast<__int128>(a.minor) * count, a.currency); }

Result<Money> convert(Money a, Rate rate, Currency into) {
  const __int128 product = static_cast<__int128>(a.minor) * rate.micros;
  const __int128 half = product < 0 ? -500'000 : 500'000;
  return in_range((product + half) / 1'000'000, into);
}

Price base_at_least(Price shown, Rate rate) {
  const __int128 scaled = static_cast<__int128>(shown.minor) * 1'000'000 - 500'000;
  if (scaled <= 0) return {0};
  return {static_cast<std::int64_t>((scaled + rate.micros - 1) / rate.micros)};
}

Price base_at_most(Price shown, Rate rate) {
  const __int128 scaled = static_cast<__int128>(shown.minor) * 1'000'000 + 499'999;
  return {static_cast<std::int64_t>(scaled / rate.micros)};
}

}  // namespace shop

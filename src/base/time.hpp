// Instants on the wire are ISO-8601 UTC with milliseconds and Z; in stores, milliseconds since 1970 as an integer.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace shop {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Time that only goes forward; for deadlines and durations.
using Monotonic = std::chrono::steady_clock::time_point;

// A point of civil time. Range: years 0001 to 9999.
struct Instant {
  std::int64_t ms = 0;  // since 1970-01-01T00:00:00Z

  // Accepts a date with time and offset ("2025-09-02T19:41:22.777Z", "…+02:00") or a date alone (RFC 3339 full-date).
  static std::expected<Instant, std::string> parse(std::string_view text);
  std::string text() const;

  static constexpr std::string_view schema_format = "date-time";

  friend auto operator<=>(const Instant&, const Instant&) = default;
  friend Instant operator+(Instant at, milliseconds by) { return {at.ms + by.count()}; }
  friend Instant operator-(Instant at, milliseconds by) { return {at.ms - by.count()}; }
  friend milliseconds operator-(Instant a, Instant b) { return milliseconds(a.ms - b.ms); }
};

// RFC 9110 section 5.6.7, e.g. "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(Instant at);

}  // namespace shop

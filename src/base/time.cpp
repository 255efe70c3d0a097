#include "base/time.hpp"

#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace shop {
namespace {

using namespace std::chrono;

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<std::int64_t> parse_ms(std::string_view text) {
  auto y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2);
  if (!y || !mo || !d || text[4] != '-' || text[7] != '-') return std::nullopt;
  year_month_day date{year{*y}, month(static_cast<unsigned>(*mo)), day(static_cast<unsigned>(*d))};
  if (!date.ok() || *y < 1) return std::nullopt;
  std::int64_t ms = duration_cast<std::chrono::milliseconds>(sys_days{date}.time_since_epoch()).count();
  if (text.size() == 10) return ms;

  auto h = digits(text, 11, 2), mi = digits(text, 14, 2), s = digits(text, 17, 2);
  if (!h || !mi || !s || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') return std::nullopt;
  if (*h > 23 || *mi > 59 || *s > 60) return std::nullopt;
  ms += ((*h * 60LL + *mi) * 60 + *s) * 1000;

  std::size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    int scale = 100;
    std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) ms += (text[at] - '0') * scale;
    if (at == first || at - first > 9) return std::nullopt;
  }
  if (at + 1 == text.size() && (text[at] == 'Z' || text[at] == 'z')) return ms;
  if (at + 6 != text.size() || (text[at] != '+' && text[at] != '-') || text[at + 3] != ':') return std::nullopt;
  auto oh = digits(text, at + 1, 2), om = digits(text, at + 4, 2);
  if (!oh || !om || *oh > 23 || *om > 59) return std::nullopt;
  const std::int64_t offset = (*oh * 60LL + *om) * 60'000;
  return text[at] == '+' ? ms - offset : ms + offset;
}

}  // namespace

std::expected<Instant, std::string> Instant::parse(std::string_view text) {
  if (auto ms = parse_ms(text)) return Instant{*ms};
  return std::unexpected("must be a date as 2025-09-02T19:41:22.777Z");
}

std::string Instant::text() const {
  const sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds(ms)};
  const auto days = floor<std::chrono::days>(at);
  const year_month_day date{days};
  const auto year = static_cast<int>(date.year());
  if (year < 0 || year > 9999) {
    const hh_mm_ss time{at - days};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", year, static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       time.hours().count(), time.minutes().count(), time.seconds().count(), time.subseconds().count());
  }
  std::string out = "0000-00-00T00:00:00.000Z";  // every log line has one: by hand, a tenth of what the format costs
  const auto put = [&out](std::size_t last, std::int64_t number) {
    for (; number > 0; number /= 10) out[last--] = static_cast<char>('0' + number % 10);
  };
  const auto in_day = (at - days).count();
  put(3, year);
  put(6, static_cast<unsigned>(date.month()));
  put(9, static_cast<unsigned>(date.day()));
  put(12, in_day / 3'600'000);
  put(15, in_day / 60'000 % 60);
  put(18, in_day / 1000 % 60);
  put(22, in_day % 1000);
  return out;
}

std::string http_date(Instant instant) {
  static constexpr const char* day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds(instant.ms)};
  const auto days = floor<std::chrono::days>(at);
  const year_month_day date{days};
  const hh_mm_ss time{floor<std::chrono::seconds>(at - days)};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", day_names[weekday{days}.c_encoding()],
                     static_cast<unsigned>(date.day()), month_names[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

}  // namespace shop

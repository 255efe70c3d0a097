#include "codec/query_reader.hpp"

namespace shop::codec {

std::int64_t page_or(std::string_view text, std::int64_t fallback, std::int64_t max) {
  std::int64_t value = 0;
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec == std::errc::result_out_of_range && !text.starts_with('-')) return max;
  if (read.ec != std::errc() || read.ptr != end || value < 1) return fallback;
  return std::min(value, max);
}

std::optional<std::string> read_attributes(const QueryPairs& pairs, AttributeFilter& out) {
  constexpr std::size_t limit = 50;
  std::size_t count = 0;
  for (const auto& [name, value] : pairs) {
    if (!name.starts_with("attributes[")) continue;
    const auto close = name.find(']');
    const auto rest = close == name.npos ? std::string_view("?") : std::string_view(name).substr(close + 1);
    if (close == name.npos || close == 11 || (rest != "" && rest != "[]")) {
      return "must have the form attributes[Name][]=value";
    }
    constexpr std::int64_t longest = 200;
    if (utf8_length(name) < 0 || utf8_length(value) < 0) return "must be valid UTF-8 text";
    if (utf8_length(name) > longest || utf8_length(value) > longest) return fmt::format("must hold names and values of at most {} characters", longest);
    if (++count > limit) return fmt::format("has more than {} values", limit);
    out.wanted[name.substr(11, close - 11)].insert(value);
  }
  return std::nullopt;
}

}  // namespace shop::codec

#include "services/image/domain.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/http.hpp"
#include "base/text.hpp"

namespace shop::image {
namespace {

constexpr std::size_t uuid_size = 36;

// Nothing: not digits alone, or more than any file has.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::expected<PictureName, std::string> PictureName::parse(std::string_view text) {
  using enum codec::PictureFormat;
  const auto bad = std::unexpected(std::string("must be the name of a picture"));
  if (text.size() <= uuid_size + 1 || text[uuid_size] != '.') return bad;
  const auto id = Uuid::parse(text.substr(0, uuid_size));
  if (!id) return bad;
  for (const auto format : {jpeg, png, gif, webp}) {
    PictureName name{*id, format};
    if (name.text() == text) return name;
  }
  return bad;
}

std::string PictureName::text() const { return fmt::format("{}.{}", id.text(), codec::extension(format)); }

PictureName name_for(codec::PictureFormat format, std::string_view sha256) {
  PictureName name{{}, format};
  std::copy_n(sha256.begin(), name.id.bytes.size(), name.id.bytes.begin());
  name.id.bytes[6] = static_cast<std::uint8_t>(0x80 | (name.id.bytes[6] & 0x0F));
  name.id.bytes[8] = static_cast<std::uint8_t>(0x80 | (name.id.bytes[8] & 0x3F));
  return name;
}

std::string etag_of(const PictureName& name) { return fmt::format("\"{}\"", name.id.text()); }

Wanted wanted_of(std::string_view range, std::uint64_t size) {
  const auto equals = range.find('=');
  if (equals == range.npos || !equal_ignoring_case(trimmed(range.substr(0, equals)), "bytes")) return Whole{};
  const auto spec = trimmed(range.substr(equals + 1));
  const auto hyphen = spec.find('-');
  if (hyphen == spec.npos || spec.find(',') != spec.npos) return Whole{};
  const auto first_text = spec.substr(0, hyphen), last_text = spec.substr(hyphen + 1);
  const auto first = number(first_text), last = number(last_text);
  if (first_text.empty()) {
    if (!last) return Whole{};
    if (*last == 0 || size == 0) return Unsatisfiable{};
    const auto count = std::min(*last, size);
    return Piece{size - count, count};
  }
  if (!first || (!last && !last_text.empty()) || (last && *last < *first)) return Whole{};
  if (*first >= size) return Unsatisfiable{};
  return Piece{*first, std::min(last.value_or(size - 1), size - 1) - *first + 1};
}

}  // namespace shop::image

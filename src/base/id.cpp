#include "base/id.hpp"

namespace shop {
namespace {

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool dash_before_byte(std::size_t i) { return i == 4 || i == 6 || i == 8 || i == 10; }

}  // namespace

std::expected<Uuid, std::string> Uuid::parse(std::string_view text) {
  const auto bad = std::unexpected(std::string("must be a UUID"));
  if (text.size() != 36) return bad;
  Uuid id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if (dash_before_byte(i) && text[at++] != '-') return bad;
    const int high = nibble(text[at++]), low = nibble(text[at++]);
    if (high < 0 || low < 0) return bad;
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return id;
}

std::string Uuid::text() const {
  static constexpr char hex[] = "0123456789abcdef";
  std::string out(36, '-');
  std::size_t at = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if (dash_before_byte(i)) ++at;
    out[at++] = hex[bytes[i] >> 4];
    out[at++] = hex[bytes[i] & 15];
  }
  return out;
}

}  // namespace shop

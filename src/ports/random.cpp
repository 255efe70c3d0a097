#include "ports/random.hpp"

#include <cstring>

#include "codec/base64.hpp"

namespace shop {

std::uint64_t Random::number() {
  std::uint64_t n;
  std::uint8_t bytes[sizeof n];
  fill(bytes);
  std::memcpy(&n, bytes, sizeof n);
  return n;
}

std::uint64_t Random::below(std::uint64_t bound) {
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(number()) * bound >> 64);
}

std::string Random::token() {
  std::uint8_t bytes[32];
  fill(bytes);
  return codec::hex({reinterpret_cast<const char*>(bytes), sizeof bytes});
}

Uuid Random::uuid4() {
  Uuid id;
  fill(id.bytes);
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

Uuid Random::uuid7(Instant now) {
  Uuid id = uuid4();
  for (int i = 0; i < 6; ++i) id.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(now.ms >> (40 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x70);
  return id;
}

}  // namespace shop

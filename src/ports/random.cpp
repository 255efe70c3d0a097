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
  constexpr std::uint64_t farthest_ahead = std::uint64_t{10'000} << 12;  // a clock that was set back further begins anew
  const auto wanted = static_cast<std::uint64_t>(now.ms) << 12;
  auto last = last_stamp_.load();
  std::uint64_t stamp;
  do {
    stamp = last >= wanted && last - wanted < farthest_ahead ? last + 1 : wanted;
  } while (!last_stamp_.compare_exchange_weak(last, stamp));

  Uuid id = uuid4();
  for (int i = 0; i < 6; ++i) id.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(stamp >> (52 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (stamp >> 8 & 0x0f));
  id.bytes[7] = static_cast<std::uint8_t>(stamp);
  return id;
}

}  // namespace shop

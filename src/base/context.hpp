// What travels with a piece of work through every port: how long somebody waits for it, and which trace it belongs to.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace shop {

// W3C Trace Context, level 1: 16-byte trace id, 8-byte id of the present span.
struct Trace {
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> span_id{};
  std::uint8_t flags = 1;

  // False, leaving `out` alone, when `header` is not a valid version-00 (or later) traceparent.
  static bool parse(std::string_view header, Trace& out);
  std::string traceparent() const;
  std::string trace_text() const;  // 32 hexadecimal digits
};

struct Context {
  Monotonic deadline = Monotonic::max();
  Trace trace;
  std::string request_id;
};

}  // namespace shop

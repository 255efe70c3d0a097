#include "base/context.hpp"

#include <algorithm>
#include <span>

namespace shop {
namespace {

int lower_hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = lower_hex(text[2 * i]), low = lower_hex(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  static constexpr char hex[] = "0123456789abcdef";
  auto at = out.size();
  out.resize(at + 2 * bytes.size());
  for (auto b : bytes) {
    out[at++] = hex[b >> 4];
    out[at++] = hex[b & 15];
  }
}

bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](auto b) { return b == 0; });
}

}  // namespace

bool Trace::parse(std::string_view header, Trace& out) {
  if (header.size() < 55 || header[2] != '-' || header[35] != '-' || header[52] != '-') return false;
  std::uint8_t version, flags;
  Trace trace;
  if (!read_hex(header.substr(0, 2), {&version, 1}) || version == 0xff || (version == 0 && header.size() != 55) ||
      (header.size() > 55 && header[55] != '-') || !read_hex(header.substr(3, 32), trace.trace_id) ||
      !read_hex(header.substr(36, 16), trace.span_id) || !read_hex(header.substr(53, 2), {&flags, 1}) ||
      all_zero(trace.trace_id) || all_zero(trace.span_id)) {
    return false;
  }
  trace.flags = flags;
  out = trace;
  return true;
}

std::string Trace::traceparent() const {
  std::string out;
  out.reserve(55);
  out = "00-";
  append_hex(out, trace_id);
  out += '-';
  append_hex(out, span_id);
  out += '-';
  append_hex(out, {&flags, 1});
  return out;
}

std::string Trace::trace_text() const {
  std::string out;
  append_hex(out, trace_id);
  return out;
}

}  // namespace shop

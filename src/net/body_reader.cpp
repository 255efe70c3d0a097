#include "net/body_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "net/head_gate.hpp"

namespace shop::net {
namespace {

constexpr std::size_t chunk_line_bytes = 1024, trailer_bytes_max = 8 * 1024;
constexpr std::size_t size_digits = 15;

}  // namespace

BodyReader BodyReader::sized(std::uint64_t length) {
  BodyReader reader;
  reader.length_ = reader.left_ = length;
  if (length > 0) reader.state_ = State::sized;
  return reader;
}

BodyReader BodyReader::chunked() {
  BodyReader reader;
  reader.state_ = State::chunk_line;
  return reader;
}

std::size_t BodyReader::read(std::string_view& in, std::span<char> out) {
  std::size_t written = 0;
  while (state_ != State::done && state_ != State::broken) {
    if (state_ == State::sized || state_ == State::chunk_data) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>({left_, in.size(), out.size() - written}));
      if (count == 0) return written;
      std::memcpy(out.data() + written, in.data(), count);
      in.remove_prefix(count);
      written += count;
      left_ -= count;
      if (left_ == 0) state_ = state_ == State::sized ? State::done : State::chunk_end;
      continue;
    }
    const auto text = line(in, state_ == State::trailer ? trailer_bytes_max : chunk_line_bytes);
    if (!text) return written;
    if (state_ == State::chunk_line) take_chunk_line(*text);
    else if (state_ == State::trailer) take_trailer(*text);
    else state_ = text->empty() ? State::chunk_line : State::broken;
  }
  return written;
}

// Without its CRLF; nothing when it is not complete yet, or broken.
std::optional<std::string_view> BodyReader::line(std::string_view& in, std::size_t limit) {
  const auto end = in.substr(0, limit).find('\n');
  const bool ends_well = end != in.npos && end > 0 && in[end - 1] == '\r';
  if (!ends_well && (end != in.npos || in.size() >= limit)) state_ = State::broken;
  if (!ends_well) return std::nullopt;
  const auto text = in.substr(0, end - 1);
  in.remove_prefix(end + 1);
  return text;
}

void BodyReader::take_chunk_line(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789abcdefABCDEF"), text.size());
  auto extension = text.substr(digits);
  if (const auto blanks = extension.find_first_not_of(" \t"); blanks != extension.npos) extension.remove_prefix(blanks);
  state_ = State::broken;
  if (digits == 0 || digits > size_digits) return;
  if (!extension.empty() && (extension.front() != ';' || !is_field_value(extension))) return;
  left_ = 0;
  std::from_chars(text.data(), text.data() + digits, left_, 16);
  state_ = left_ > 0 ? State::chunk_data : State::trailer;
}

void BodyReader::take_trailer(std::string_view text) {
  trailer_bytes_ += text.size() + 2;
  if (text.empty()) {
    state_ = State::done;
    return;
  }
  const auto colon = text.find(':');
  const bool legal = colon != text.npos && is_token(text.substr(0, colon)) && is_field_value(text.substr(colon + 1));
  if (!legal || trailer_bytes_ > trailer_bytes_max) state_ = State::broken;
}

}  // namespace shop::net

// The body of a request out of the bytes that follow its head (RFC 9112, 6.2 and 7.1), without I/O.
//
// Strict, as the head gate is: chunk sizes of 1 to 15 hexadecimal digits, lines that end in CRLF, extensions and trailers
// of legal characters. Extensions and trailers are read and dropped. Limits: a chunk's line 1 KiB, the trailer 8 KiB.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace shop::net {

class BodyReader {
 public:
  BodyReader() = default;  // no body
  static BodyReader sized(std::uint64_t length);
  static BodyReader chunked();

  // Takes bytes from the front of `in`, writes those of the body to `out` and returns how many. Ends when `out` is full, the
  // body is done or broken, or more bytes are needed: what is left of `in` must then be offered again with more behind it.
  std::size_t read(std::string_view& in, std::span<char> out);

  bool done() const { return state_ == State::done; }
  bool broken() const { return state_ == State::broken; }  // for good; nothing after it on the connection can be trusted
  std::optional<std::uint64_t> length() const { return length_; }

 private:
  enum class State { sized, chunk_line, chunk_data, chunk_end, trailer, done, broken };

  std::optional<std::string_view> line(std::string_view& in, std::size_t limit);
  void take_chunk_line(std::string_view text);
  void take_trailer(std::string_view text);

  State state_ = State::done;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  std::optional<std::uint64_t> length_;
  std::size_t trailer_bytes_ = 0;
};

}  // namespace shop::net

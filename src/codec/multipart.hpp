// multipart/form-data (RFC 7578), read strictly: what two readers could understand differently is refused.
//
// The body is exactly delimiter, part, delimiter ... close delimiter, and at most one line end after it; no preamble, no
// epilogue, no transfer encoding but the identity, one Content-Disposition a part. Limits: boundary 70 characters (RFC 2046
// 5.1.1), 4 KiB of fields a part.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace shop::codec {

// Views into the body. `filename` is what the client claims, present when the part is a file; as little trusted as
// `content_type`.
struct FormPart {
  std::string name;
  std::optional<std::string> filename;
  std::string_view content_type;
  std::string_view bytes;
};

// Code::invalid when it is not multipart/form-data, not well-formed, or has more than `max_parts` parts.
Result<std::vector<FormPart>> parse_multipart(std::string_view content_type, std::string_view body, std::size_t max_parts = 10);

}  // namespace shop::codec

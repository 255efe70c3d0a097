// RFC 4648 section 5: base64url without padding, as JWT uses it. Decoding is strict: one text for one value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shop::codec {

std::string base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);
std::string hex(std::string_view bytes);

}  // namespace shop::codec

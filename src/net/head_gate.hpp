// The judge in front of the HTTP parser: refuses every request head on whose meaning two servers could disagree.
//
// Sources: RFC 9112 (sections 2.2, 3, 5, 6.1-6.3), RFC 9110 (5.6.2, 7.2), and the published request-smuggling corpora. It is
// stricter than the RFC wherever a lenient reading exists; the parser behind it must then agree on what is left.
#pragma once

#include <optional>
#include <string_view>

namespace shop::net {

inline constexpr std::size_t max_head_bytes = 16 * 1024;
inline constexpr std::size_t max_fields = 100;

// `head`: from the request line up to and including the empty line. The reason in words, or nothing when it may pass.
std::optional<std::string_view> refuse_head(std::string_view head, std::string_view slashes_below = {});

// Whether a path holds what must not reach a router: dot segments in any spelling, encoded slashes or NUL, backslashes, or a
// percent sign that starts no octet. Below the path `slashes_below`, which ends with a slash, an encoded slash or backslash is part of
// a name: it may stand there, as long as whoever takes it for a slash finds no dot segment either. Empty: nowhere.
bool ambiguous_path(std::string_view path, std::string_view slashes_below = {});

// RFC 9110, 5.6.2 and 5.5: a token, and what a field's value may hold.
bool is_token(std::string_view text);
bool is_field_value(std::string_view text);

}  // namespace shop::net

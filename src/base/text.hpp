// Strings that carry their rule: what a type can promise lives in the type.
//
// Every such type has `parse(text) -> T or the rule in words`, `text()`, and what the OpenAPI schema says of it
// (schema_format, schema_pattern, schema_min, schema_max). Lengths count Unicode code points unless a line says bytes.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace shop {

// Code points of valid UTF-8 (RFC 3629, no NUL), or -1.
std::int64_t utf8_length(std::string_view text);

// Lower case, without accents and other marks, NFKC: "Été" and "ete" are one. For comparing and searching.
std::string fold(std::string_view utf8);

// Cuts at a code point boundary, to at most `bytes`.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes);

// What comes from outside, to be shown: what is no UTF-8 becomes U+FFFD.
std::string as_text(std::string_view bytes);

std::string_view trimmed(std::string_view text);

template <std::size_t Min, std::size_t Max>
struct Text {
  std::string value;

  static std::expected<Text, std::string> parse(std::string_view text) {
    const auto length = utf8_length(text);
    const auto bare = utf8_length(trimmed(text));
    if (length < 0) return std::unexpected("must be valid UTF-8 text without NUL");
    if (bare < static_cast<std::int64_t>(Min) || length > static_cast<std::int64_t>(Max)) {
      if constexpr (Min == 0) return std::unexpected(fmt::format("must have at most {} characters", Max));
      return std::unexpected(fmt::format("must have {} to {} characters", Min, Max));
    }
    return Text{std::string(text)};
  }
  const std::string& text() const { return value; }

  static constexpr std::int64_t schema_min = Min, schema_max = Max;

  friend auto operator<=>(const Text&, const Text&) = default;
};

// A local part, one @ and a domain with a dot; at most 254 bytes (RFC 5321 4.5.3.1). Kept as written; equal through key() without
// regard to case, in every script, and to how a letter is composed: NFKC_Casefold (Unicode 3.13, D146).
struct Email {
  std::string value;

  static std::expected<Email, std::string> parse(std::string_view text);
  const std::string& text() const { return value; }
  std::string key() const;

  static constexpr std::string_view schema_format = "email";
  static constexpr std::int64_t schema_min = 3, schema_max = 254;

  friend auto operator<=>(const Email&, const Email&) = default;
};

// 6 to 72 bytes: bcrypt, in which older hashes are kept, ignores what follows.
struct Password {
  std::string value;

  static std::expected<Password, std::string> parse(std::string_view text);
  const std::string& text() const { return value; }

  static constexpr std::string_view schema_format = "password";
  static constexpr std::int64_t schema_min = 6, schema_max = 72;
};

// 1 to 100 of a-z, 0-9 and hyphen.
struct Slug {
  std::string value;

  static std::expected<Slug, std::string> parse(std::string_view text);
  const std::string& text() const { return value; }

  static constexpr std::string_view schema_pattern = "^[a-z0-9-]+$";
  static constexpr std::int64_t schema_min = 1, schema_max = 100;

  friend auto operator<=>(const Slug&, const Slug&) = default;
};

// Printable ASCII without spaces; at most 100.
struct Sku {
  std::string value;

  static std::expected<Sku, std::string> parse(std::string_view text);
  const std::string& text() const { return value; }

  static constexpr std::string_view schema_pattern = "^[!-~]{1,100}$";

  friend auto operator<=>(const Sku&, const Sku&) = default;
};

// http(s) address or a path of this shop ("/images/x.png") in printable ASCII (RFC 3986); at most 2 000 bytes. Nothing
// that a browser would run.
struct Url {
  std::string value;

  static std::expected<Url, std::string> parse(std::string_view text);
  const std::string& text() const { return value; }

  static constexpr std::string_view schema_pattern = R"(^(https?://[!-~]+|/([!-.0-~][!-~]*)?)$)";
  static constexpr std::int64_t schema_min = 1, schema_max = 2000;

  friend auto operator<=>(const Url&, const Url&) = default;
};

// A text in several languages: {"en": "...", "fr": "..."}. Keys are two lower-case letters.
using Texts = std::map<std::string, std::string>;

// First two letters of the first entry of Accept-Language; "en" when there is none.
std::string language_of(std::string_view accept_language);

// The text in `language`, else "en", else any; empty when there is none.
std::string_view localised(const Texts& texts, std::string_view language);

}  // namespace shop

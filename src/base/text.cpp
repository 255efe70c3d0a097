#include "base/text.hpp"

#include <algorithm>
#include <cctype>

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

namespace shop {
namespace {

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool printable(char c) { return c > ' ' && c < 0x7f; }

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

icu::UnicodeString unicode(std::string_view utf8) { return icu::UnicodeString::fromUTF8({utf8.data(), static_cast<std::int32_t>(utf8.size())}); }

bool plain_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::int64_t utf8_length(std::string_view text) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead == 0) return -1;
    const int length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (length == 0 || i + static_cast<std::size_t>(length) > text.size()) return -1;
    for (int k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]) & 0xC0) != 0x80) return -1;
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
        (lead == 0xF4 && second > 0x8F)) {
      return -1;
    }
    i += static_cast<std::size_t>(length);
  }
  return count;
}

std::string fold(std::string_view utf8) {
  if (plain_ascii(utf8)) return ascii_lower(utf8);
  UErrorCode status = U_ZERO_ERROR;
  const auto* normalizer = icu::Normalizer2::getNFKDInstance(status);
  const auto folded = unicode(utf8).foldCase();
  const auto decomposed = normalizer->normalize(folded, status);
  icu::UnicodeString bare;
  for (std::int32_t i = 0; i < decomposed.length(); i = decomposed.moveIndex32(i, 1)) {
    const UChar32 c = decomposed.char32At(i);
    if (u_charType(c) != U_NON_SPACING_MARK) bare.append(c);
  }
  std::string out;
  bare.toUTF8String(out);
  return out;
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

std::string as_text(std::string_view bytes) {
  std::string out;
  if (utf8_length(bytes) >= 0) return out.assign(bytes);
  return unicode(bytes).toUTF8String(out);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::expected<Email, std::string> Email::parse(std::string_view text) {
  const auto bad = std::unexpected(std::string("must be an e-mail address of at most 254 bytes"));
  const auto at = text.find('@');
  if (text.size() > 254 || at == text.npos || at == 0 || at > 64 || text.find('@', at + 1) != text.npos) return bad;
  const auto domain = text.substr(at + 1);
  const auto dot = domain.find('.');
  if (dot == domain.npos || dot == 0 || domain.back() == '.' || domain.find("..") != domain.npos) return bad;
  if (!std::all_of(domain.begin(), domain.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
      })) {
    return bad;
  }
  constexpr std::string_view special = "\"(),:;<>[\\]";
  const auto local = text.substr(0, at);
  if (std::any_of(local.begin(), local.end(), [&](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || special.find(c) != special.npos;
      })) {
    return bad;
  }
  if (utf8_length(text) < 0) return bad;
  return Email{std::string(text)};
}

std::string Email::key() const {
  if (plain_ascii(value)) return ascii_lower(value);
  UErrorCode status = U_ZERO_ERROR;
  const auto* normalizer = icu::Normalizer2::getNFKCCasefoldInstance(status);
  std::string out;
  normalizer->normalize(unicode(value), status).toUTF8String(out);
  return out;
}

std::expected<Password, std::string> Password::parse(std::string_view text) {
  if (text.size() < 6 || text.size() > 72) return std::unexpected("must have 6 to 72 bytes");
  if (utf8_length(text) < 0) return std::unexpected("must be valid UTF-8 text without NUL");
  return Password{std::string(text)};
}

std::expected<Slug, std::string> Slug::parse(std::string_view text) {
  const bool ok = !text.empty() && text.size() <= 100 &&
                  std::all_of(text.begin(), text.end(), [](char c) { return lower_or_digit(c) || c == '-'; });
  if (!ok) return std::unexpected("must be 1 to 100 of a-z, 0-9 and hyphen");
  return Slug{std::string(text)};
}

std::expected<Sku, std::string> Sku::parse(std::string_view text) {
  if (text.empty() || text.size() > 100 || !std::all_of(text.begin(), text.end(), printable)) {
    return std::unexpected("must be 1 to 100 printable characters without spaces");
  }
  return Sku{std::string(text)};
}

std::expected<Url, std::string> Url::parse(std::string_view text) {
  const auto scheme = text.starts_with("https://") ? std::size_t{8} : text.starts_with("http://") ? std::size_t{7} : std::size_t{0};
  const bool known = scheme > 0 ? text.size() > scheme : text.starts_with("/") && !text.starts_with("//");
  const bool graphic = std::all_of(text.begin(), text.end(), printable);
  if (!known || !graphic || text.size() > 2000) {
    return std::unexpected("must be an http address or a path beginning with /");
  }
  return Url{std::string(text)};
}

std::string language_of(std::string_view accept_language) {
  accept_language = trimmed(accept_language);
  if (accept_language.size() < 2) return "en";
  std::string language(accept_language.substr(0, 2));
  for (char& c : language) {
    if (!std::isalpha(static_cast<unsigned char>(c))) return "en";
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return language;
}

std::string_view localised(const Texts& texts, std::string_view language) {
  for (const auto key : {language, std::string_view("en")}) {
    if (auto it = texts.find(std::string(key)); it != texts.end() && !it->second.empty()) return it->second;
  }
  for (const auto& [language_code, text] : texts) {
    if (!text.empty()) return text;
  }
  return {};
}

}  // namespace shop

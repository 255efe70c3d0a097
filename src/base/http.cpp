#include "base/http.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace shop {
namespace {

constexpr std::array<std::string_view, 8> method_names{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

std::string_view name_of(Method method) { return method_names[static_cast<std::size_t>(method)]; }

Method method_named(std::string_view name) {
  const auto it = std::find(method_names.begin(), method_names.end() - 1, name);
  return static_cast<Method>(it - method_names.begin());
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

void Headers::add(std::string_view name, std::string_view value) {
  if (fields_.empty()) {  // room for what most messages have
    fields_.reserve(16);
    text_.reserve(512);
  }
  fields_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint16_t>(name.size()),
                     static_cast<std::uint32_t>(value.size())});
  text_.append(name).append(value);
}

void Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& f) { return equal_ignoring_case(this->name(f), name); });
}

std::string_view Headers::get(std::string_view name) const {
  for (const auto& f : fields_) {
    if (equal_ignoring_case(this->name(f), name)) return value(f);
  }
  return {};
}

bool Headers::has(std::string_view name) const {
  return std::any_of(fields_.begin(), fields_.end(),
                     [&](const Field& f) { return equal_ignoring_case(this->name(f), name); });
}

std::string_view Response::text() const {
  if (const auto* own = std::get_if<std::string>(&body)) return *own;
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&body)) return **shared;
  return {};
}

std::uint64_t Response::body_size() const {
  if (const auto* file = std::get_if<FileRange>(&body)) return file->size;
  return text().size();
}

std::string percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      (out += '%') += hex[byte >> 4];
      out += hex[byte & 15];
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> query_pairs(std::string_view query, std::size_t limit) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty() && pairs.size() < limit) {
    const auto piece = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), piece.size() + 1));
    if (piece.empty()) continue;
    const auto equals = piece.find('=');
    pairs.emplace_back(percent_decoded(piece.substr(0, equals), true),
                       equals == piece.npos ? std::string() : percent_decoded(piece.substr(equals + 1), true));
  }
  return pairs;
}

}  // namespace shop

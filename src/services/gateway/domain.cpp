#include "services/gateway/domain.hpp"

#include "base/http.hpp"

namespace shop::gateway {
namespace {

constexpr std::string_view operator_paths[] = {"/products/internal/resync-products"};

// Whether a lenient reader could take the segment for `word`: encoded, in another case, with a parameter behind it.
bool means(std::string_view segment, std::string_view word) {
  if (segment.size() < word.size()) return false;
  auto plain = std::string(segment);
  for (int times = 0; times < 3 && plain.find('%') != plain.npos; ++times) plain = percent_decoded(plain, false);
  return equal_ignoring_case(std::string_view(plain).substr(0, plain.find(';')), word);
}

}  // namespace

std::optional<Prefix> prefix_of(std::string_view path) {
  for (const auto& prefix : prefixes) {
    if (!path.starts_with(prefix.path)) continue;
    if (path.size() == prefix.path.size() || path[prefix.path.size()] == '/') return prefix;
  }
  return std::nullopt;
}

std::vector<std::string> built_services() {
  std::vector<std::string> names;
  for (const auto& prefix : prefixes) {
    if (prefix.always) names.emplace_back(prefix.service);
  }
  return names;
}

bool hidden(std::string_view path) {
  for (const auto open : operator_paths) {
    if (path == open) return false;
  }
  std::size_t count = 0;  // of segments that are not empty; the first is the prefix
  bool own = false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (segment.empty()) continue;
    if (means(segment, "internal")) return true;
    if (++count == 2) own = means(segment, "metrics") || means(segment, "openapi.json");
  }
  return own && count == 2;
}

}  // namespace shop::gateway

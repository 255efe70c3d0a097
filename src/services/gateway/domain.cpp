#include "services/gateway/domain.hpp"

#include "base/http.hpp"

namespace shop::gateway {
namespace {

constexpr std::string_view operator_paths[] = {"/products/internal/resync-products"};

}  // namespace

std::optional<Prefix> prefix_of(std::string_view path) {
  for (const auto& prefix : prefixes) {
    if (!path.starts_with(prefix.path)) continue;
    if (path.size() == prefix.path.size() || path[prefix.path.size()] == '/') return prefix;
  }
  return std::nullopt;
}

bool hidden(std::string_view path) {
  for (const auto open : operator_paths) {
    if (path == open) return false;
  }
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (equal_ignoring_case(percent_decoded(segment, false), "internal")) return true;
  }
  return false;
}

}  // namespace shop::gateway

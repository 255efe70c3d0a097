// Which prefix belongs to which service, and which internal paths an operator may reach from outside (contract, section 2).
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace shop::gateway {

struct Prefix {
  std::string_view path, service;
  bool always = true;  // false: no program here serves it, so it exists where somebody's instance is known
};

inline constexpr std::array<Prefix, 9> prefixes{{
    {"/auth", "auth-service"},
    {"/products", "product-service"},
    {"/images", "image-service"},
    {"/search", "search-service"},
    {"/carts", "cart-service"},
    {"/orders", "order-service"},
    {"/reviews", "review-service", false},
    {"/payments", "payment-service", false},
    {"/stats", "stats-service", false},
}};

std::optional<Prefix> prefix_of(std::string_view path);

// "/products/internal/stock/reserve", and what a service says of itself at /metrics and /openapi.json: nobody outside may know
// that such paths exist, in whatever spelling.
bool hidden(std::string_view path);

}  // namespace shop::gateway

// Which prefix belongs to which service, and which internal paths an operator may reach from outside (contract, section 2).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shop::gateway {

struct Prefix {
  std::string_view path, service;
  std::string_view route;    // for metrics and the log, which do not know the service's own routes
  bool always = true;  // false: no program here serves it, so it exists where somebody's instance is known
};

inline constexpr std::array<Prefix, 9> prefixes{{
    {"/auth", "auth-service", "/auth/*"},
    {"/products", "product-service", "/products/*"},
    {"/images", "image-service", "/images/*"},
    {"/search", "search-service", "/search/*"},
    {"/carts", "cart-service", "/carts/*"},
    {"/orders", "order-service", "/orders/*"},
    {"/reviews", "review-service", "/reviews/*", false},
    {"/payments", "payment-service", "/payments/*", false},
    {"/stats", "stats-service", "/stats/*", false},
}};

// A SKU may hold a slash: below this path an encoded one is let through, and product-service reads it as a letter of the SKU.
inline constexpr std::string_view slashes_below = "/products/sku/";

std::optional<Prefix> prefix_of(std::string_view path);

// The services that there are programs for.
std::vector<std::string> built_services();

// "/products/internal/stock/reserve", and what a service says of itself at /metrics and /openapi.json: nobody outside may know
// that such paths exist, in whatever spelling.
bool hidden(std::string_view path);

}  // namespace shop::gateway

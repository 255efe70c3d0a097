// The permissions of the platform (contract, section 16). Checks use permissions only, never role names.
#pragma once

#include <bitset>
#include <optional>
#include <string_view>

namespace shop {

// clang-format off: grouped by what they protect
enum class Permission : unsigned char {
  read_user, write_user, delete_user, read_role, write_role,
  read_product, create_product, update_product, delete_product,
  read_category, create_category, update_category, delete_category,
  read_stock, adjust_stock, read_order, update_order, read_my_orders, create_order,
  read_returns, write_returns, read_review, write_review, delete_review,
  read_currency, write_currency, read_promotion, write_promotion,
};
// clang-format on

inline constexpr std::size_t permission_count = 28;

using Permissions = std::bitset<permission_count>;

std::string_view name_of(Permission permission);         // "read:user"
std::string_view description_of(Permission permission);  // "See users"
std::optional<Permission> permission_named(std::string_view name);

inline bool holds(const Permissions& set, Permission p) { return set.test(static_cast<std::size_t>(p)); }

}  // namespace shop

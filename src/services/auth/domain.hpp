// The roles that are always there, and what may not be done to them (contract, sections 3 and 16).
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "base/permission.hpp"

namespace shop::auth {

inline constexpr std::string_view administrator_role = "ADMIN";
inline constexpr std::string_view customer_role = "Customer";

inline bool built_in(std::string_view role) { return role == administrator_role || role == customer_role; }

struct DefaultRole {
  std::string_view name, description;
  std::vector<Permission> permissions;  // empty: all
};

const std::array<DefaultRole, 5>& default_roles();

}  // namespace shop::auth

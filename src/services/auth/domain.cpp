#include "services/auth/domain.hpp"

namespace shop::auth {

const std::array<DefaultRole, 5>& default_roles() {
  using enum Permission;
  static const std::array<DefaultRole, 5> roles{{
      {administrator_role, "All rights", {}},
      {"Supervisor",
       "Runs daily business",
       {read_user, read_order, read_product, read_category, read_stock, update_order, adjust_stock}},
      {"Support", "Answers customers", {read_user, read_order}},
      {"Auditor", "Sees everything, changes nothing", {read_user, read_role, read_product, read_category, read_order, read_stock}},
      {customer_role, "Buys", {read_my_orders, create_order, read_review, write_review, delete_review}},
  }};
  return roles;
}

}  // namespace shop::auth

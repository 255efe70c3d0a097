#include "base/permission.hpp"

#include <array>

namespace shop {
namespace {

struct Named {
  std::string_view name, description;
};

constexpr std::array<Named, permission_count> table{{
    {"read:user", "See users"},
    {"write:user", "Invite and change users"},
    {"delete:user", "Deactivate users"},
    {"read:role", "See roles and permissions"},
    {"write:role", "Create, change and delete roles"},
    {"read:product", "See inactive products and cost prices"},
    {"create:product", "Create products"},
    {"update:product", "Change products, variants and pictures"},
    {"delete:product", "Delete products"},
    {"read:category", "See categories in the dashboard"},
    {"create:category", "Create categories"},
    {"update:category", "Change categories"},
    {"delete:category", "Delete categories"},
    {"read:stock", "See the stock ledger"},
    {"adjust:stock", "Change stock"},
    {"read:order", "See all orders"},
    {"update:order", "Change the state of orders"},
    {"read:my-orders", "See one's own orders"},
    {"create:order", "Place orders"},
    {"read:returns", "See all return requests"},
    {"write:returns", "Answer return requests"},
    {"read:review", "See one's own reviews"},
    {"write:review", "Write reviews"},
    {"delete:review", "Delete reviews"},
    {"read:currency", "See currencies in the dashboard"},
    {"write:currency", "Change currencies"},
    {"read:promotion", "See all promotions"},
    {"write:promotion", "Change promotions"},
}};

}  // namespace

std::string_view name_of(Permission permission) { return table[static_cast<std::size_t>(permission)].name; }

std::string_view description_of(Permission permission) {
  return table[static_cast<std::size_t>(permission)].description;
}

std::optional<Permission> permission_named(std::string_view name) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].name == name) return static_cast<Permission>(i);
  }
  return std::nullopt;
}

}  // namespace shop

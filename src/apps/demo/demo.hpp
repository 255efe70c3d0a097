// The demo catalogue and its pictures (folder demo/), built into the program.
#pragma once

#include <memory>

#include "apps/importer.hpp"
#include "services/product/handlers.hpp"

namespace shop {

std::string demo_catalogue();
std::optional<std::string> demo_picture(const std::string& name);

// The accounts that the demo data bring: an administrator and one for each staff role, password "password".
Task<Result<void>> create_demo_accounts(ServiceCaller& caller, const Context& context);

// Loads everything; rows that are there already are left alone.
Task<Result<ImportReport>> load_demo(ServiceCaller& caller, Clock& clock, const Context& context);

// POST /products/bulk and /products/categories/bulk.
class BuiltInDemo final : public product::DemoCatalogue {
 public:
  BuiltInDemo(ServiceCaller& caller, Clock& clock) : caller_(caller), clock_(clock) {}

  Task<Result<std::vector<product::CategoryRow>>> load_categories(const Context& context) override;
  Task<Result<std::vector<product::CreatedProduct>>> load_products(const Context& context) override;

 private:
  ServiceCaller& caller_;
  Clock& clock_;
};

}  // namespace shop

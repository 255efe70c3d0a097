#include "apps/demo/demo.hpp"

#include "apps/demo/files.hpp"
#include "services/auth/api.hpp"

namespace shop {
namespace {

constexpr std::string_view catalogue_file = "catalogue.json";

std::optional<std::string> file(std::string_view name) {
  for (const auto& each : demo_files()) {
    if (each.name == name) return std::string(each.bytes);
  }
  return std::nullopt;
}

// Only the categories of the catalogue: the rest is left to the other route.
std::string categories_only() {
  auto whole = boost::json::parse(demo_catalogue());
  boost::json::object part{{"categories", whole.at("categories")}, {"products", boost::json::array()}};
  return boost::json::serialize(part);
}

Failure present() { return fail(Code::conflict, "The demo catalogue is loaded already.", "DEMO_LOADED"); }

}  // namespace

std::string demo_catalogue() { return file(catalogue_file).value_or("{}"); }

std::optional<std::string> demo_picture(const std::string& name) {
  return name == catalogue_file ? std::nullopt : file(name);
}

Task<Result<void>> create_demo_accounts(ServiceCaller& caller, const Context& context) {
  const Peer peer(caller, "auth-service");
  auth::NewAccounts request;
  const auto add = [&](std::string name, std::string email, std::string role) {
    request.accounts.push_back({{std::move(name)}, {std::move(email)}, {"password"}, std::move(role)});
  };
  add("Super Admin", "admin@admin.com", "ADMIN");
  add("Demo Supervisor", "supervisor@admin.com", "Supervisor");
  add("Demo Support", "support@admin.com", "Support");
  add("Demo Auditor", "auditor@admin.com", "Auditor");
  CO_CHECK(co_await peer.post<auth::CreatedAccounts>(context, "/internal/accounts", request));
  co_return Result<void>();
}

Task<Result<ImportReport>> load_demo(ServiceCaller& caller, Clock& clock, const Context& context) {
  Importer importer(caller, clock, demo_picture);
  CO_TRY(auto report, co_await importer.run(context, demo_catalogue(), [](std::size_t, std::size_t) {}));
  if (!report.faults.empty()) {
    const auto& first = report.faults.front();
    co_return fail(Code::internal, fmt::format("The demo catalogue did not load: {}: {}", first.row, first.reason));
  }
  co_return report;
}

Task<Result<std::vector<product::CategoryRow>>> BuiltInDemo::load_categories(const Context& context) {
  Importer importer(caller_, clock_, demo_picture);
  CO_TRY(auto report, co_await importer.run(context, categories_only(), [](std::size_t, std::size_t) {}));
  if (report.created_categories.empty()) co_return present();
  co_return std::move(report.created_categories);
}

Task<Result<std::vector<product::CreatedProduct>>> BuiltInDemo::load_products(const Context& context) {
  CO_TRY(auto report, co_await load_demo(caller_, clock_, context));
  if (report.created.empty()) co_return present();
  co_return std::move(report.created);
}

}  // namespace shop

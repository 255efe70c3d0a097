#include "apps/service_process.hpp"
#include "services/product/module.hpp"

namespace {

using namespace shop;

std::unique_ptr<Service> make(ProcessResources& resources) {
  return std::make_unique<product::ProductModule>(resources.world(), product::Settings{}, resources.database());
}

}  // namespace

int main(int argc, char** argv) {
  return shop::run_service(argc, argv,
                           {.name = "product-service",
                            .port = 3003,
                            .description = "catalogue and stock",
                            .uses_database = true,
                            .uses_events = true,
                            .peers = {"auth-service", "order-service"},
                            .make = make});
}

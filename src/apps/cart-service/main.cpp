#include "apps/service_process.hpp"
#include "services/cart/module.hpp"

namespace {

using namespace shop;

std::unique_ptr<Service> make(ProcessResources& resources) {
  return std::make_unique<cart::CartModule>(resources.world(), cart::Settings{milliseconds(resources.number("CATALOGUE_LIMIT_MS"))},
                                            resources.key_values());
}

}  // namespace

int main(int argc, char** argv) {
  return shop::run_service(argc, argv,
                           {.name = "cart-service",
                            .port = 3006,
                            .description = "carts",
                            .uses_key_values = true,
                            .peers = {"auth-service", "product-service"},
                            .callers = {"api-gateway", "shopctl"},
                            .settings = {{"--catalogue-limit-ms", "CATALOGUE_LIMIT_MS", "So long the catalogue is waited for when a line is added", "1000",
                                          format::whole(1, 15'000)}},
                            .make = make});
}

#include "apps/service_process.hpp"
#include "services/search/module.hpp"

namespace {

using namespace shop;

std::unique_ptr<Service> make(ProcessResources& resources) {
  return std::make_unique<search::SearchModule>(resources.world(), resources.search_index());
}

}  // namespace

int main(int argc, char** argv) {
  return shop::run_service(argc, argv,
                           {.name = "search-service",
                            .port = 3005,
                            .description = "full-text search over the catalogue",
                            .uses_events = true,
                            .uses_search = true,
                            .peers = {"auth-service", "product-service"},
                            .callers = {"api-gateway", "shopctl"},
                            .make = make});
}

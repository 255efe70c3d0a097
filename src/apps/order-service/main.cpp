#include "apps/service_process.hpp"
#include "services/order/module.hpp"

namespace {

using namespace shop;

const Format a_minute = format::whole(1, limit_max);

std::unique_ptr<Service> make(ProcessResources& resources) {
  order::Settings settings;
  settings.allow_backdating = resources.flag("ALLOW_ORDER_BACKDATING");
  settings.lookups.most = resources.number("ORDER_LOOKUPS_PER_MINUTE");
  return std::make_unique<order::OrderModule>(resources.world(), settings, resources.database(), resources.key_values());
}

}  // namespace

int main(int argc, char** argv) {
  return shop::run_service(argc, argv,
                           {.name = "order-service",
                            .port = 3007,
                            .description = "checkout and orders",
                            .uses_database = true,
                            .uses_key_values = true,
                            .uses_events = true,
                            .peers = {"auth-service", "product-service"},
                            .callers = {"api-gateway", "product-service", "shopctl"},
                            .settings = {{"--allow-order-backdating", "ALLOW_ORDER_BACKDATING", "true: honour overrideCreatedAt, for load tests", "false",
                                          format::yes_or_no()},
                                         {"--order-lookups-per-minute", "ORDER_LOOKUPS_PER_MINUTE", "Orders looked up from one address", "120", a_minute}},
                            .make = make});
}

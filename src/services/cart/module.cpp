#include "services/cart/module.hpp"

namespace shop::cart {

CartModule::CartModule(const ServiceWorld& world, Settings settings, KeyValueStore& carts)
    : service_(settings, carts, CataloguePeer(world.peers), world.clock, world.random),
      handlers_(service_),
      health_("cart-service", world.clock),
      router_("cart-service", "/carts", world.authenticator, net::ProblemStyle::word) {
  router_.mount(routes(), handlers_);
  router_.mount(Health::routes(), health_);
  health_.depends_on("redis", [this](const Context& context) { return service_.ping(context); });  // the contract's name, whatever the store
}

}  // namespace shop::cart

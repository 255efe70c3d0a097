#include "services/image/module.hpp"

namespace shop::image {

ImageModule::ImageModule(const ServiceWorld& world, Settings settings, BlobStore& blobs, WorkerPool& workers, KeyValueStore& limits)
    : limiter_(limits),
      service_(std::move(settings), blobs, workers, limiter_),
      handlers_(service_),
      health_("image-service", world.clock),
      router_("image-service", "/images", world.authenticator, net::ProblemStyle::word) {
  router_.mount(routes(), handlers_);
  router_.mount(Health::routes(), health_);
  health_.depends_on("storage", [this](const Context& context) { return service_.ping(context); });
}

}  // namespace shop::image

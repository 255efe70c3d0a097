// image-service as a program composes it.
#pragma once

#include "runtime/service.hpp"
#include "services/image/handlers.hpp"

namespace shop::image {

class ImageModule final : public Service {
 public:
  ImageModule(const ServiceWorld& world, Settings settings, BlobStore& blobs, WorkerPool& workers, KeyValueStore& limits);

  net::Router& router() override { return router_; }
  Health& health() override { return health_; }
  std::vector<Loop*> loops() override { return {}; }
  Task<Result<void>> prepare(const Context& context) override { return service_.ping(context); }

 private:
  RateLimiter limiter_;
  ImageService service_;
  Handlers handlers_;
  Health health_;
  net::Router router_;
};

}  // namespace shop::image

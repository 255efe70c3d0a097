// Use cases of pictures (seed 4.1): take one in, give one out.
#pragma once

#include "base/worker_pool.hpp"
#include "codec/multipart.hpp"
#include "ports/blob_store.hpp"
#include "runtime/rate_limit.hpp"
#include "services/image/domain.hpp"

namespace shop::image {

struct Settings {
  std::string base_url = "http://localhost:3000";  // IMAGE_BASE_URL: where clients reach /images
  Limit uploads{"uploads", 50, seconds(60)};                 // pictures stored, per address
  Limit attempts{"upload-attempts", 300, seconds(60)};       // anything sent, per address
};

class ImageService {
 public:
  ImageService(Settings settings, BlobStore& blobs, WorkerPool& workers, RateLimiter& limiter);

  // `client`: the address that the limits count; nothing for services. Durable when it returns.
  Task<Result<UploadAnswer>> upload(const Context& context, std::string_view content_type, std::string_view body,
                                    const std::optional<std::string>& client);

  Task<Result<FileRange>> picture(const Context& context, const PictureName& name);

  Task<Result<void>> ping(const Context& context) { return blobs_.ping(context); }

 private:
  const Settings settings_;
  BlobStore& blobs_;
  WorkerPool& workers_;
  RateLimiter& limiter_;
};

}  // namespace shop::image

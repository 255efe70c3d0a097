// Files in one folder, which several replicas may share (a volume). Linux only.
//
// A file is written under a temporary name, flushed, given its name without replacing anything, and the folder is flushed:
// it is there whole, or not at all. Reading opens beneath the folder and follows no link. What a crash left under a temporary
// name is removed after an hour by whoever starts next.
#pragma once

#include <memory>
#include <string>

#include "base/generation_cache.hpp"
#include "base/worker_pool.hpp"
#include "ports/blob_store.hpp"
#include "ports/clock.hpp"
#include "ports/random.hpp"

namespace shop {

class FolderBlobs final : public BlobStore {
 public:
  // Makes the folder. Throws std::runtime_error with a sentence when it cannot be used. Disk work runs on `workers`.
  FolderBlobs(const std::string& path, WorkerPool& workers, Clock& clock, Random& random);

  Task<Result<void>> put(const Context& context, std::string name, std::string bytes) override;
  Task<Result<FileRange>> open(const Context& context, std::string name) override;
  Task<Result<void>> ping(const Context& context) override;

 private:
  struct Opened {
    FileRange file;
    Monotonic at;
  };

  const std::shared_ptr<const int> folder_;
  WorkerPool& workers_;
  Clock& clock_;
  Random& random_;
  GenerationCache<std::string, Opened> opened_{256};  // files keep their content, so an open one may be used again for a while
};

}  // namespace shop

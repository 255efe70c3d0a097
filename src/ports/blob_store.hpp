// Files under flat names, written whole or not at all.
#pragma once

#include <string>
#include <vector>

#include "base/context.hpp"
#include "base/http.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

namespace shop {

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  // Durable when it returns. A name that exists keeps its content. Names: [a-z0-9.-], at most 100, no leading dot.
  virtual Task<Result<void>> put(const Context& context, std::string name, std::string bytes) = 0;
  virtual Task<Result<FileRange>> open(const Context& context, std::string name) = 0;  // not_found
  virtual Task<Result<void>> ping(const Context& context) = 0;
};

}  // namespace shop

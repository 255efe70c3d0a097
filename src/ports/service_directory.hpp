// Who runs where. Look-ups answer from a local view that a background watch keeps; they never wait.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

namespace shop {

struct Instance {
  std::string id;
  std::string host;
  std::uint16_t port = 0;
  std::string version;
  std::uint32_t weight = 100;  // share of the traffic; 0 = none

  friend bool operator==(const Instance&, const Instance&) = default;
};

using Instances = std::shared_ptr<const std::vector<Instance>>;

class ServiceDirectory {
 public:
  virtual ~ServiceDirectory() = default;

  // The last known healthy instances; never null, possibly empty. Stays as it was while the directory is away.
  virtual Instances instances(std::string_view service) const = 0;

  virtual Task<Result<void>> announce(const Context& context) = 0;   // this process; repeated until it succeeds
  virtual Task<Result<void>> withdraw(const Context& context) = 0;
};

}  // namespace shop

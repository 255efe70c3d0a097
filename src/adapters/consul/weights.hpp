// Shares of the traffic, kept in Consul's KV under "shop/weights": {"<instance>" or "<service>:<version>": 0-1000}, what an instance says
// before what its version says, 100 when nothing is said. Every gateway and service follows them within a second (adapters/consul/consul).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "net/client.hpp"

namespace shop {

using Weights = std::map<std::string, std::int64_t>;

inline constexpr std::int64_t weight_default = 100, weight_max = 1000;

// Which name says it ("" for nobody), and what.
struct Weighing {
  std::string by;
  std::int64_t weight = weight_default;
};
Weighing weigh(const Weights& weights, std::string_view service, const std::string& instance, std::string_view version);

struct RegisteredInstance {
  std::string service, id, version, address;
  std::int64_t port = 0;
  bool healthy = false;
};

class ConsulWeights {
 public:
  // What was read, and the state of the key that a change must still find.
  struct Read {
    Weights weights;
    std::string index = "0";
  };

  ConsulWeights(net::Endpoint agent, net::ClientPool& pool) : agent_(std::move(agent)), pool_(pool) {}

  Task<Result<Read>> read(const Context& context);  // invalid when the key holds something else

  // False when somebody changed them after `index` was read. Nothing in them: the key goes.
  Task<Result<bool>> write(const Context& context, const Weights& weights, const std::string& index);
  Task<Result<void>> remove(const Context& context);

  // All that are registered, well or not.
  Task<Result<std::vector<RegisteredInstance>>> instances(const Context& context, const std::string& service);

 private:
  Task<Result<Response>> ask(const Context& context, Method method, std::string target, std::string body = {});

  const net::Endpoint agent_;
  net::ClientPool& pool_;
};

}  // namespace shop

// Chooses an instance of a service: of two drawn at random by weight, the one with less under way (power of two choices,
// Mitzenmacher 2001). An instance that refuses a connection is left out for a moment that doubles each time it was tried in vain;
// when all are left out nothing is known of who is better, and each is tried as if none were.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "ports/clock.hpp"
#include "ports/random.hpp"
#include "ports/service_directory.hpp"

namespace shop {

class Balancer {
 public:
  Balancer(const ServiceDirectory& directory, Clock& clock, Random& random) : directory_(directory), clock_(clock), random_(random) {}

  // An instance with one more request under way, until release() or refused(). Nothing when none is known to be healthy.
  std::optional<Instance> choose(std::string_view service, const std::string& not_this = {});

  void release(const Instance& instance);  // the exchange is over
  void refused(const Instance& instance);  // no connection could be made; nothing was sent
  void answered(const Instance& instance); // it works: forget earlier refusals

  bool knows(std::string_view service) const { return !directory_.instances(service)->empty(); }
  std::size_t ejected() const;  // for metrics

 private:
  struct State {
    std::int64_t under_way = 0;
    int refusals = 0;
    Monotonic out_until{};
  };

  const ServiceDirectory& directory_;
  Clock& clock_;
  Random& random_;
  mutable std::mutex mutex_;
  std::map<std::string, State, std::less<>> states_;  // by instance id; bounded by what the directory ever named in this process
};

}  // namespace shop

// What Consul's HTTP API (v1) answers, as far as it matters here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>
#include <fmt/format.h>

#include "base/http.hpp"
#include "base/result.hpp"
#include "codec/json_reader.hpp"

namespace shop::consul {

// The members of GET /v1/health/service/:name.
struct HealthService {
  std::string ID, Address;
  std::int64_t Port = 0;
  std::optional<std::vector<std::string>> Tags;
};
BOOST_DESCRIBE_STRUCT(HealthService, (), (ID, Address, Port, Tags))

struct HealthNode {
  std::string Address;
};
BOOST_DESCRIBE_STRUCT(HealthNode, (), (Address))

struct HealthEntry {
  HealthNode Node;
  HealthService Service;
};
BOOST_DESCRIBE_STRUCT(HealthEntry, (), (Node, Service))

inline std::string version_in(const HealthService& service) {
  for (const auto& tag : service.Tags.value_or(std::vector<std::string>())) {
    if (tag.starts_with("version:")) return tag.substr(8);
  }
  return {};
}

inline Failure refused(const Response& response) {
  return fail(Code::unavailable, fmt::format("Consul answered {}.", response.status), {}, std::string(response.text().substr(0, 200)));
}

}  // namespace shop::consul

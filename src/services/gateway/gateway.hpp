// api-gateway: the one door of the platform (seed 4.1). Answers for itself at / and /health, and passes everything else to
// the service that its prefix names.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "ports/service_caller.hpp"
#include "runtime/edge.hpp"
#include "runtime/health.hpp"

namespace shop::gateway {

// The OpenAPI document of all services, paths as clients see them.
using OpenApi = std::function<Task<Result<std::shared_ptr<const std::string>>>(const Context&)>;

// A service behind the gateway. The request's target has lost its prefix; `prefix` is given for messages and headers.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual Task<> forward(const Context& context, net::Exchange& exchange, net::Answered& answered) = 0;
  virtual bool exists() const { return true; }  // false: its prefix is a path like any other
};

// Asks every service for its own and puts them together.
// A document to which all have answered serves for 10 s, another for 1 s.
OpenApi merged_openapi(ServiceCaller& caller, Clock& clock);

// In the same process.
class LocalBackend final : public Backend {
 public:
  explicit LocalBackend(net::Router& router) : router_(router) {}
  Task<> forward(const Context& context, net::Exchange& exchange, net::Answered& answered) override;

 private:
  net::Router& router_;
};

struct Settings {
  std::vector<std::string> origins{"*"};       // CORS_ALLOW_ORIGIN
  std::vector<std::string> metrics_addresses;  // METRICS_ALLOW; empty: anybody may scrape
};

class Gateway final : public Application {
 public:
  Gateway(Settings settings, Health& health, Metrics& metrics, std::map<std::string, std::unique_ptr<Backend>, std::less<>> backends,
          OpenApi openapi);

  Task<> handle(const Context& context, const net::Arrival& arrival, net::Exchange& exchange, net::Answered& answered) override;
  void add_fields(const Request& request, Headers& headers) const override;

 private:
  Task<Response> own_answer(const Context& context, net::Exchange& exchange, net::Answered& answered);

  const Settings settings_;
  net::Router own_;
  Metrics& metrics_;
  const std::map<std::string, std::unique_ptr<Backend>, std::less<>> backends_;
  const OpenApi openapi_;
};

}  // namespace shop::gateway

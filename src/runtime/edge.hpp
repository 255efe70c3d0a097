// Where requests enter a process: gives each its identity (request id, trace), its deadline and its arrival, hands it to the
// application behind, and leaves one log line and one measurement.
#pragma once

#include <atomic>

#include "net/router.hpp"
#include "net/server.hpp"
#include "observe/metrics.hpp"
#include "ports/clock.hpp"
#include "ports/random.hpp"

namespace shop {

class Application {
 public:
  virtual ~Application() = default;
  virtual Task<> handle(const Context& context, const net::Arrival& arrival, net::Exchange& exchange, net::Answered& answered) = 0;

  // Fields of every answer beside X-Request-Id. Of a head that was refused, and so is no request, `request` says nothing.
  virtual void add_fields(const Request& request, Headers& headers) const { (void)request, (void)headers; }
};

inline constexpr std::string_view gateway_name = "api-gateway";

// With mutual TLS the certificate says which service calls, and no header does.
struct Callers {
  std::set<std::string, std::less<>> services;   // may call; anybody else gets 403
  std::set<std::string, std::less<>> operators;  // and these may use every route
};

struct EdgeOptions {
  milliseconds request_limit{15'000};
  std::string internal_token;      // a caller that sends it is a service; empty: nobody can be
  std::optional<Callers> by_certificate;
  bool keep_forwarded = true;      // false at the gateway: what clients say of themselves is dropped
};

inline constexpr std::string_view internal_token_header = "X-Internal-Token";
inline constexpr std::string_view internal_service_header = "X-Internal-Service";
inline constexpr std::string_view budget_header = "X-Request-Budget-Ms";  // what is left of the caller's deadline

class Edge final : public net::Handler {
 public:
  Edge(Application& application, Clock& clock, Random& random, Metrics& metrics, EdgeOptions options);

  Task<> serve(net::Exchange& exchange) override;

  // What never became a request (net::ServerOptions::on_refused): counted, told to the log, and given the fields of its answer.
  Headers refused(std::string_view reason);

 private:
  Context context_of(const Request& request, const net::Arrival& arrival);
  net::Arrival arrival_of(net::Exchange& exchange, const Request& request) const;
  bool may_call(net::Exchange& exchange) const;

  Application& application_;
  Clock& clock_;
  Random& random_;
  Metrics& metrics_;
  prometheus::Counter &refused_, &crowded_out_;
  const EdgeOptions options_;
};

// A service on its own port: its routes, /metrics and /openapi.json. Until it is ready everything but its health is 503.
class ServiceApplication final : public Application {
 public:
  ServiceApplication(net::Router& router, Metrics& metrics, const std::atomic<bool>& ready) : router_(router), metrics_(metrics), ready_(ready) {}

  Task<> handle(const Context& context, const net::Arrival& arrival, net::Exchange& exchange, net::Answered& answered) override;

 private:
  Task<Response> answer(const Context& context, const net::Arrival& arrival, net::Exchange& exchange, net::Answered& answered);

  net::Router& router_;
  Metrics& metrics_;
  const std::atomic<bool>& ready_;
};

// /health, /health/live, /health/ready and /metrics, for whoever watches a service and has no certificate.
class WatchApplication final : public Application {
 public:
  explicit WatchApplication(ServiceApplication& service) : service_(service) {}

  Task<> handle(const Context& context, const net::Arrival& arrival, net::Exchange& exchange, net::Answered& answered) override;

 private:
  ServiceApplication& service_;
};

Response metrics_response(Metrics& metrics);

}  // namespace shop

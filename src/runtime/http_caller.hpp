// Calls to services in other processes: HTTP to an instance that the directory knows, with identity, trace and what is left
// of the deadline.
#pragma once

#include "net/client.hpp"
#include "ports/random.hpp"
#include "ports/service_caller.hpp"
#include "runtime/balancer.hpp"

namespace shop {

struct CallerIdentity {
  std::string service;         // "order-service"
  std::string internal_token;  // shared credential; empty with mutual TLS
};

class HttpCaller final : public ServiceCaller {
 public:
  HttpCaller(CallerIdentity identity, Balancer& balancer, net::ClientPool& pool, Clock& clock, Random& random)
      : identity_(std::move(identity)), balancer_(balancer), pool_(pool), clock_(clock), random_(random) {}

  // Another instance is tried once when the first refuses the connection.
  Task<Result<Response>> call(const Context& context, std::string_view service, Request request) override;

 private:
  const CallerIdentity identity_;
  Balancer& balancer_;
  net::ClientPool& pool_;
  Clock& clock_;
  Random& random_;
};

// Identity, trace and budget of a request that this process sends on.
void add_internal_headers(Headers& headers, const CallerIdentity& identity, const Context& context, Clock& clock, Random& random);

}  // namespace shop

// A request from one service to another, by name. In one process it is a function call, otherwise HTTP through discovery.
#pragma once

#include "base/context.hpp"
#include "base/http.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

namespace shop {

class ServiceCaller {
 public:
  virtual ~ServiceCaller() = default;

  // `request.target` is the path within the service, as "/internal/stock/reserve". The callee sees the caller's identity.
  // Errors: unavailable (nothing was sent), unknown_outcome (sent, no answer), timed_out, bad_upstream.
  virtual Task<Result<Response>> call(const Context& context, std::string_view service, Request request) = 0;
};

}  // namespace shop

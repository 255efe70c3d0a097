#include "runtime/http_caller.hpp"

#include <fmt/format.h>

#include "runtime/edge.hpp"

namespace shop {

void add_internal_headers(Headers& headers, const CallerIdentity& identity, const Context& context, Clock& clock, Random& random) {
  if (!identity.internal_token.empty()) headers.add(internal_token_header, identity.internal_token);
  headers.add(internal_service_header, identity.service);
  Trace child = context.trace;
  random.fill(child.span_id);
  headers.set("traceparent", child.traceparent());
  headers.set("X-Request-Id", context.request_id);
  if (context.deadline != Monotonic::max()) {
    const auto left = std::chrono::duration_cast<milliseconds>(context.deadline - clock.now()).count();
    // A little less than is left here, so that the callee's own 503 or 504 arrives before this side gives up.
    headers.set(budget_header, fmt::to_string(std::max<std::int64_t>(1, left - std::min<std::int64_t>(left / 10, 100))));
  }
}

Task<Result<Response>> HttpCaller::call(const Context& context, std::string_view service, Request request) {
  add_internal_headers(request.headers, identity_, context, clock_, random_);
  std::string refused;
  std::optional<Error> lost;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto instance = balancer_.choose(service, refused);
    if (!instance) break;
    auto answer = co_await pool_.send(context, {instance->host, instance->port, {}, std::string(service)}, request);
    if (!answer && answer.error().code == Code::unavailable) {
      balancer_.refused(*instance);
      refused = instance->id;
      continue;
    }
    balancer_.release(*instance);
    if (!answer && answer.error().code == Code::unknown_outcome && request.method == Method::get && attempt == 0) {
      refused = instance->id;  // it died before it answered; reading twice harms nobody
      lost = std::move(answer).error();
      continue;
    }
    if (answer) balancer_.answered(*instance);
    co_return answer;
  }
  if (lost) co_return fail(std::move(*lost));
  co_return fail(Error{Code::unavailable, fmt::format("No healthy instance of {} is known.", service), {}, {}, {}, seconds(1)});
}

}  // namespace shop

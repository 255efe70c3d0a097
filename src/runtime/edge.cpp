#include "runtime/edge.hpp"

#include "net/openapi.hpp"
#include "observe/log.hpp"
#include "runtime/health.hpp"

namespace shop {
namespace {

bool usable_id(std::string_view id) {
  return !id.empty() && id.size() <= 100 && std::all_of(id.begin(), id.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  });
}

// Compares in a time that does not depend on where the two differ.
bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace

Edge::Edge(Application& application, Clock& clock, Random& random, Metrics& metrics, EdgeOptions options)
    : application_(application),
      clock_(clock),
      random_(random),
      metrics_(metrics),
      refused_(metrics.counter("http_heads_refused_total", "Request heads that the gate turned away, and connections beyond the limit.")),
      crowded_out_(metrics.counter("http_requests_crowded_out_total", "Requests refused with 503 because their route had as many at work as it takes.")),
      options_(std::move(options)) {}

bool Edge::may_call(net::Exchange& exchange) const {
  return !options_.by_certificate || options_.by_certificate->services.contains(exchange.stream().peer());
}

net::Arrival Edge::arrival_of(net::Exchange& exchange, const Request& request) const {
  if (exchange.internal_socket()) return {"shopctl", true};
  if (options_.by_certificate) {
    const auto peer = exchange.stream().peer();
    if (!may_call(exchange)) return {};
    if (peer == gateway_name) return {.through_gateway = true};  // it speaks for somebody outside
    return {std::string(peer), options_.by_certificate->operators.contains(peer)};
  }
  if (options_.internal_token.empty()) return {};
  if (!same_secret(request.headers.get(internal_token_header), options_.internal_token)) return {};
  const auto name = request.headers.get(internal_service_header);
  if (name == gateway_name) return {.through_gateway = true};  // it speaks for somebody outside
  return {std::string(name.empty() ? "unnamed" : name), name == "shopctl"};
}

Context Edge::context_of(const Request& request, const net::Arrival& arrival) {
  Context context;
  if (!Trace::parse(request.headers.get("traceparent"), context.trace)) random_.fill(context.trace.trace_id);
  random_.fill(context.trace.span_id);
  const auto given = request.headers.get("X-Request-Id");
  context.request_id = usable_id(given) ? std::string(given) : context.trace.trace_text();
  auto budget = options_.request_limit;
  if (!arrival.service.empty() || arrival.through_gateway) {
    std::int64_t left = 0;
    const auto text = request.headers.get(budget_header);
    if (std::from_chars(text.data(), text.data() + text.size(), left).ec == std::errc() && left > 0) {
      budget = std::min(budget, milliseconds(left));
    }
  }
  context.deadline = clock_.now() + budget;
  return context;
}

Headers Edge::refused(std::string_view reason) {
  refused_.Increment();
  Trace trace;
  random_.fill(trace.trace_id);
  const auto id = trace.trace_text();
  log(Severity::info, "gate", "refused before it was a request", {{"requestId", id}, {"reason", std::string(reason)}});
  Headers headers;
  headers.add("X-Request-Id", id);
  application_.add_fields({}, headers);
  return headers;
}

Task<> Edge::serve(net::Exchange& exchange) {
  auto& request = exchange.request();
  const auto arrival = arrival_of(exchange, request);
  if (!options_.keep_forwarded) {
    for (const auto name : {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"}) request.headers.remove(name);
  }
  const auto context = context_of(request, arrival);
  exchange.extra_headers().add("X-Request-Id", context.request_id);
  application_.add_fields(request, exchange.extra_headers());
  const auto begun = clock_.now();
  const std::string path(utf8_prefix(request.path(), 300));  // as it came: the gateway takes its prefix off
  metrics_.in_flight().Increment();
  net::Answered answered;
  std::string bug;
  try {
    if (may_call(exchange)) {
      co_await application_.handle(context, arrival, exchange, answered);
    } else {
      answered.error = Error{Code::forbidden, fmt::format("{} may not call this service.", exchange.stream().peer()), {}, {}, {}, {}};
      co_await exchange.send(net::problem_response(*answered.error, context.request_id));
    }
  } catch (const std::exception& thrown) {
    bug = thrown.what();
  }
  if (!bug.empty()) {  // one request's, not the process's end
    answered.error = Error{Code::internal, "Internal error.", {}, {}, std::move(bug), {}};
    if (!exchange.started()) co_await exchange.send(net::problem_response(*answered.error, context.request_id));
    exchange.abandon();
  }
  metrics_.in_flight().Decrement();
  if (answered.crowded_out) crowded_out_.Increment();

  const std::chrono::duration<double> took = clock_.now() - begun;
  const auto method = name_of(request.method);
  const std::string_view elsewhere = answered.passed_on.empty() ? "none" : answered.passed_on;
  const std::string_view route = answered.route ? std::string_view(answered.route->path) : elsewhere;
  metrics_.answered(answered.service, method, route, exchange.status(), took.count());
  const auto trace_id = context.trace.trace_text();
  const Error* error = answered.error ? &*answered.error : nullptr;
  log_access({.service = answered.service,
              .request_id = context.request_id,
              .trace_id = trace_id,
              .method = method,
              .route = route,
              .path = path,
              .remote = request.remote,
              .error_code = error ? (error->name.empty() ? traits(error->code).name : std::string_view(error->name)) : std::string_view(),
              .detail = error ? std::string_view(error->detail) : std::string_view(),
              .status = exchange.status(),
              .duration_ms = std::round(took.count() * 1e6) / 1e3,
              .bytes = exchange.bytes_sent()});
}

Task<Response> ServiceApplication::answer(const Context& context, const net::Arrival& arrival, net::Exchange& exchange,
                                          net::Answered& answered) {
  auto& request = exchange.request();
  const auto path = request.path();
  answered.service = router_.service();
  if (request.method == Method::get && path == "/metrics") co_return metrics_response(metrics_);
  if (request.method == Method::get && path == "/openapi.json") {
    const net::Router* const own[] = {&router_};
    co_return net::json_response(200, net::openapi_document(own));
  }
  if (!ready_ && path != "/health/live") {
    if (path == "/health" || path == "/health/ready") {  // which of its dependencies it waits for, if it is one of them
      auto response = co_await router_.answer(context, arrival, request, exchange, answered);
      if (response.status != 200) co_return response;
      co_return net::json_response(503, codec::to_json(HealthReport{"DOWN", router_.service(), {}}));
    }
    const Error error{Code::unavailable, fmt::format("{} is starting: what it depends on is not there yet.", router_.service()), {}, {}, {}, seconds(1)};
    co_return net::problem_response(error, context.request_id);
  }
  co_return co_await router_.answer(context, arrival, request, exchange, answered);
}

Task<> ServiceApplication::handle(const Context& context, const net::Arrival& arrival, net::Exchange& exchange,
                                  net::Answered& answered) {
  co_await exchange.send(co_await answer(context, arrival, exchange, answered));
}

Task<> WatchApplication::handle(const Context& context, const net::Arrival& arrival, net::Exchange& exchange, net::Answered& answered) {
  const auto& request = exchange.request();
  const auto path = request.path();
  const bool reads = request.method == Method::get || request.method == Method::head;
  if (reads && (path == "/metrics" || path == "/health" || path == "/health/live" || path == "/health/ready")) {
    co_return co_await service_.handle(context, arrival, exchange, answered);
  }
  answered.error = Error{Code::not_found, "This port knows /health and /metrics only.", {}, {}, {}, {}};
  co_await exchange.send(net::problem_response(*answered.error, context.request_id));
}

Response metrics_response(Metrics& metrics) {
  Response response;
  response.headers.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  response.body = metrics.text();
  return response;
}

}  // namespace shop

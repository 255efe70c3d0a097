#include "services/gateway/remote_backend.hpp"

namespace shop::gateway {
namespace {

constexpr milliseconds crowded_pause{5};

bool repeatable(Method method) {
  return method == Method::get || method == Method::head || method == Method::put || method == Method::del;
}

}  // namespace

Task<> RemoteBackend::forward(const Context& context, net::Exchange& exchange, net::Answered& answered) {
  answered.service = service_;
  auto& request = exchange.request();
  const bool reads = request.method == Method::get || request.method == Method::head;
  Place* const crowded_until = reads ? nullptr : &place_of(request);
  answered.crowded_out = crowded_until && clock_.now().time_since_epoch().count() < crowded_until->load(std::memory_order_relaxed);
  if (answered.crowded_out) {
    answered.error = net::crowded_out();
    co_await exchange.send(net::problem_response(*answered.error, context.request_id));
    co_return;
  }
  bool crowded = false;
  net::Forwarding forwarding;
  forwarding.crowded = &crowded;
  forwarding.retry = repeatable(request.method);
  add_internal_headers(forwarding.added, identity_, context, clock_, random_);
  forwarding.added.add("X-Forwarded-For", request.remote);
  forwarding.added.add("X-Forwarded-Proto", "http");
  forwarding.added.add("X-Forwarded-Host", request.headers.get("Host"));

  Error error{Code::unavailable, fmt::format("{} is not available now: no healthy instance is known.", service_), {}, {}, {}, seconds(1)};
  std::string refused;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto instance = balancer_.choose(service_, refused);
    if (!instance) break;
    auto failed = co_await net::forward(context, exchange, pool_, {instance->host, instance->port, {}, service_}, forwarding);
    if (!failed) {
      balancer_.release(*instance);
      balancer_.answered(*instance);
      answered.status = exchange.status();
      if (crowded && crowded_until) crowded_until->store((clock_.now() + crowded_pause).time_since_epoch().count(), std::memory_order_relaxed);
      co_return;
    }
    if (failed->code == Code::unavailable) {
      balancer_.refused(*instance);
      refused = instance->id;
      error.detail = failed->detail;
      continue;  // nothing was sent
    }
    balancer_.release(*instance);
    const bool died = failed->code == Code::bad_upstream && !exchange.started() && !exchange.has_body();
    error = std::move(*failed);
    if (error.code == Code::bad_upstream || error.code == Code::timed_out) error.message = fmt::format("{}: {}", service_, error.message);
    if (!died || !reads) break;
    refused = instance->id;  // reading twice harms nobody
  }
  answered.error = error;
  if (!exchange.started()) co_await exchange.send(net::problem_response(error, context.request_id));
}

}  // namespace shop::gateway

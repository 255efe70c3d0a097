#include "runtime/local_network.hpp"

namespace shop {

net::Router* LocalNetwork::find(std::string_view service) const {
  const auto it = routers_.find(service);
  return it == routers_.end() ? nullptr : it->second;
}

Task<> ControlApplication::handle(const Context& context, const net::Arrival& arrival, net::Exchange& exchange,
                                  net::Answered& answered) {
  auto& request = exchange.request();
  const auto slash = std::min(request.target.find('/', 1), request.target.size());
  auto* router = network_.find(std::string_view(request.target).substr(1, slash - 1));
  if (!router) {
    const Error error{Code::not_found, "No service of that name runs here.", {}, {}, {}, {}};
    co_return co_await exchange.send(net::problem_response(error, context.request_id));
  }
  request.target.erase(0, slash);
  auto response = co_await router->answer(context, arrival, request, exchange, answered);
  co_await exchange.send(std::move(response));
}

Task<Result<Response>> LocalCaller::call(const Context& context, std::string_view service, Request request) {
  auto* router = network_.find(service);
  if (!router) co_return fail(Code::unavailable, fmt::format("{} does not run here.", service));
  net::WholeBody body;
  net::Answered answered;
  const auto begun = std::chrono::steady_clock::now();
  auto response = co_await router->answer(context, arrival_, request, body, answered);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  network_.metrics().answered(service, name_of(request.method), answered.route ? answered.route->path : "none", answered.status,
                              took.count());
  co_return response;
}

}  // namespace shop

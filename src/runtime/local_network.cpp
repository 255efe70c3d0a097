#include "runtime/local_network.hpp"

namespace shop {

net::Router* LocalNetwork::find(std::string_view service) const {
  const auto it = routers_.find(service);
  return it == routers_.end() ? nullptr : it->second;
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

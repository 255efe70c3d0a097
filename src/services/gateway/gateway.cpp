#include "services/gateway/gateway.hpp"

#include <algorithm>

#include "services/gateway/domain.hpp"

namespace shop::gateway {
namespace {

constexpr char docs_page[] = {
#embed "docs.html"
    , 0};

struct Online {
  std::string message;
};
BOOST_DESCRIBE_STRUCT(Online, (), (message))

struct NoTokens final : net::Authenticator {
  Task<Result<Principal>> authenticate(const Context&, std::string) override { co_return Principal{}; }
};

net::Authenticator& no_tokens() {
  static NoTokens none;
  return none;
}

Response page(std::string_view content_type, decltype(Response::body) body) {
  Response response;
  response.headers.add("Content-Type", content_type);
  response.body = std::move(body);
  return response;
}

// Everybody, or who asks when the list has him: a browser takes one origin, not a list.
void allow_origin(const std::vector<std::string>& origins, const Request& request, Headers& headers) {
  const bool everybody = std::ranges::count(origins, "*") > 0;
  const auto origin = request.headers.get("Origin");
  if (!everybody) headers.add("Vary", "Origin");
  if (everybody || std::ranges::count(origins, origin) > 0) headers.add("Access-Control-Allow-Origin", everybody ? "*" : origin);
}

Response preflight(const Request& request) {
  Response response;
  response.status = 204;
  response.headers.add("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE");
  const auto wanted = request.headers.get("Access-Control-Request-Headers");
  if (!wanted.empty()) response.headers.add("Access-Control-Allow-Headers", wanted);
  response.headers.add("Access-Control-Max-Age", "600");
  response.headers.add("Vary", "Access-Control-Request-Headers");
  return response;
}

}  // namespace

Task<> LocalBackend::forward(const Context& context, net::Exchange& exchange, net::Answered& answered) {
  auto response = co_await router_.answer(context, {}, exchange.request(), exchange, answered);
  response.headers.remove(net::crowded_field);
  co_await exchange.send(std::move(response));
}

Gateway::Gateway(Settings settings, Health& health, Metrics& metrics,
                 std::map<std::string, std::unique_ptr<Backend>, std::less<>> backends, OpenApi openapi)
    : settings_(std::move(settings)),
      own_("api-gateway", "", no_tokens()),
      metrics_(metrics),
      backends_(std::move(backends)),
      openapi_(std::move(openapi)) {
  own_.mount(Health::routes(), health);
}

Task<Response> Gateway::own_answer(const Context& context, net::Exchange& exchange, net::Answered& answered) {
  auto& request = exchange.request();
  const auto path = request.path();
  answered.service = own_.service();
  const auto& scrapers = settings_.metrics_addresses;
  const bool metrics = path == "/metrics" && (scrapers.empty() || std::ranges::count(scrapers, request.remote) > 0);
  if (path != "/" && path != "/openapi.json" && path != "/docs" && !metrics) {
    co_return co_await own_.answer(context, {}, request, exchange, answered);
  }
  if (request.method != Method::get && request.method != Method::head) {
    co_return net::method_not_allowed("This path does not know that method.", "GET, HEAD", context.request_id);
  }
  if (metrics) co_return metrics_response(metrics_);
  const auto tagged = [&](Response response) {
    net::add_etag(request, response);
    return response;
  };
  if (path == "/") co_return tagged(net::json_response(200, codec::to_json(Online{"api-gateway is online."})));
  if (path == "/docs") co_return tagged(page("text/html; charset=utf-8", std::string(docs_page)));
  auto document = co_await openapi_(context);
  if (!document) co_return net::problem_response(document.error(), context.request_id);
  co_return tagged(page("application/json; charset=utf-8", std::move(*document)));
}

void Gateway::add_fields(const Request& request, Headers& headers) const {
  allow_origin(settings_.origins, request, headers);
  headers.add("Access-Control-Expose-Headers", "X-Request-Id, ETag, Retry-After");
  headers.add("X-Content-Type-Options", "nosniff");
}

Task<> Gateway::handle(const Context& context, const net::Arrival&, net::Exchange& exchange, net::Answered& answered) {
  auto& request = exchange.request();
  if (request.method == Method::options) {
    answered.service = own_.service();
    co_return co_await exchange.send(preflight(request));
  }
  if (request.method == Method::other) {
    answered.service = own_.service();
    constexpr std::string_view all = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    co_return co_await exchange.send(net::method_not_allowed("No path of this shop knows that method.", all, context.request_id));
  }
  const auto prefix = prefix_of(request.path());
  const auto backend = prefix ? backends_.find(prefix->service) : backends_.end();
  if (backend == backends_.end() || (!prefix->always && !backend->second->exists())) {
    co_return co_await exchange.send(co_await own_answer(context, exchange, answered));
  }
  if (hidden(request.path())) {
    answered.service = own_.service();
    const Error error{Code::not_found, fmt::format("There is nothing at {}.", utf8_prefix(request.path(), 200)), {}, {}, {}, {}};
    co_return co_await exchange.send(net::problem_response(error, context.request_id));
  }
  answered.passed_on = prefix->route;
  request.target.erase(0, prefix->path.size());
  if (!request.target.starts_with('/')) request.target.insert(0, "/");
  co_await backend->second->forward(context, exchange, answered);
}

}  // namespace shop::gateway

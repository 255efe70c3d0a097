#include "services/gateway/domain.hpp"
#include "services/gateway/gateway.hpp"

namespace shop::gateway {
namespace {

namespace json = boost::json;

// Services that do not answer are left out of this reading.
Task<Result<std::string>> merged(const Context& context, ServiceCaller& caller) {
  json::object document;
  for (const auto& prefix : prefixes) {
    Request request;
    request.target = "/openapi.json";
    const auto answer = co_await caller.call(context, prefix.service, std::move(request));
    if (!answer || answer->status != 200) continue;
    auto part = codec::parse_json(answer->text());
    if (!part || !part->is_object()) continue;
    auto& object = part->get_object();
    if (document.empty()) {
      document = std::move(object);
      continue;
    }
    for (auto& [path, operations] : object.at("paths").as_object()) document.at("paths").as_object()[path] = operations;
    auto& schemas = document.at("components").as_object().at("schemas").as_object();
    for (auto& [name, schema] : object.at("components").at("schemas").as_object()) schemas[name] = schema;
  }
  if (document.empty()) co_return fail(Code::unavailable, "No service can be asked for its description now.");
  co_return json::serialize(document);
}

}  // namespace

OpenApi merged_openapi(ServiceCaller& caller) {
  return [&caller](const Context& context) { return merged(context, caller); };
}

}  // namespace shop::gateway

#include <mutex>

#include "services/gateway/domain.hpp"
#include "services/gateway/gateway.hpp"

namespace shop::gateway {
namespace {

namespace json = boost::json;

constexpr seconds whole_lifetime{10}, part_lifetime{1};

using Text = std::shared_ptr<const std::string>;

struct Kept {
  ServiceCaller& caller;
  Clock& clock;
  std::mutex mutex;
  Text text;
  Monotonic until{};

  Text fresh() {
    const std::lock_guard lock(mutex);
    return clock.now() < until ? text : nullptr;
  }
  void keep(Text made, seconds lifetime) {
    const std::lock_guard lock(mutex);
    text = std::move(made);
    until = clock.now() + lifetime;
  }
};

// Services that do not answer are left out of this reading.
Task<Result<Text>> merged(const Context& context, std::shared_ptr<Kept> kept) {
  if (auto text = kept->fresh()) co_return text;
  json::object document;
  bool complete = true;
  for (const auto& prefix : prefixes) {
    Request request;
    request.target = "/openapi.json";
    const auto answer = co_await kept->caller.call(context, prefix.service, std::move(request));
    auto part = answer && answer->status == 200 ? codec::parse_json(answer->text()) : Result<json::value>(json::value());
    if (!part || !part->is_object()) {
      complete = false;
      continue;
    }
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
  auto text = std::make_shared<const std::string>(json::serialize(document));
  kept->keep(text, complete ? whole_lifetime : part_lifetime);
  co_return text;
}

}  // namespace

OpenApi merged_openapi(ServiceCaller& caller, Clock& clock) {
  auto kept = std::make_shared<Kept>(caller, clock);
  return [kept](const Context& context) { return merged(context, kept); };
}

}  // namespace shop::gateway

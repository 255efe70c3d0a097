#include "adapters/consul/consul.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "adapters/consul/messages.hpp"
#include "codec/json_reader.hpp"

namespace shop {
namespace {

namespace json = boost::json;
using consul::HealthEntry, consul::refused, consul::version_in;

constexpr seconds blocking_wait{25}, margin{3};
constexpr seconds forgetfulness{10};  // after Consul was away
constexpr milliseconds until_it_is_well{100};  // nobody finds it before: its store may be back at any moment

// The first question is answered at once.
seconds patience(std::string_view index) { return index == "0" ? margin : blocking_wait + margin; }

// Consul's advice: an index that is missing or goes back begins again at 0.
std::string next_index(const Response& answer, std::string_view last) {
  const auto number = [](std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  const auto given = answer.headers.get("X-Consul-Index");
  return number(given) < number(last) ? "0" : fmt::to_string(number(given));
}

}  // namespace

ConsulDirectory::ConsulDirectory(ConsulOptions options, net::ClientPool& pool, Clock& clock)
    : options_(std::move(options)), pool_(pool), clock_(clock), agent_{options_.host, options_.port, {}} {
  for (const auto& service : options_.watch) watched_[service];
}

Instances ConsulDirectory::instances(std::string_view service) const {
  const std::lock_guard lock(mutex_);
  const auto it = watched_.find(service);
  return it == watched_.end() ? std::make_shared<const std::vector<Instance>>() : it->second.view;
}

Task<Result<Response>> ConsulDirectory::ask(const Context& context, Method method, std::string target, std::string body) {
  const Request request{method, std::move(target), {}, std::move(body), {}};
  co_return co_await pool_.send(context, agent_, request);
}

Task<Result<void>> ConsulDirectory::announce(const Context& context) {
  if (withdrawn_) co_return Result<void>();
  // An agent keeps the state of a check that it knows: after a crash that is "critical" until the next one, 10 s later.
  CO_CHECK(co_await deregister(context));
  const auto health_port = options_.health_port != 0 ? options_.health_port : options_.service_port;
  const json::object registration{
      {"ID", options_.instance},
      {"Name", options_.service},
      {"Address", options_.address},
      {"Port", options_.service_port},
      {"Tags", json::array{options_.service, "env:" + options_.environment, "version:" + options_.version}},
      {"Check", json::object{{"HTTP", fmt::format("http://{}:{}/health", options_.address, health_port)},
                             {"Interval", "10s"},
                             {"Timeout", "5s"},
                             {"DeregisterCriticalServiceAfter", "30s"},
                             {"Status", "passing"}}}};
  CO_TRY(const auto answer, co_await ask(context, Method::put, "/v1/agent/service/register", json::serialize(registration)));
  if (answer.status != 200) co_return refused(answer);
  co_return Result<void>();
}

Task<Result<void>> ConsulDirectory::withdraw(const Context& context) {
  withdrawn_ = true;
  CO_CHECK(co_await deregister(context));
  co_return Result<void>();
}

Task<Result<bool>> ConsulDirectory::deregister(const Context& context) {
  CO_TRY(const auto answer, co_await ask(context, Method::put, "/v1/agent/service/deregister/" + percent_encoded(options_.instance)));
  if (answer.status != 200 && answer.status != 404) co_return refused(answer);
  co_return answer.status == 200;
}

Task<Result<void>> ConsulDirectory::ping(const Context& context) {
  CO_TRY(const auto answer, co_await ask(context, Method::get, "/v1/status/leader"));
  if (answer.status != 200) co_return refused(answer);
  co_return Result<void>();
}

Task<Result<bool>> ConsulDirectory::stay_registered(const Context& context, Well well) {
  CO_TRY(const auto answer, co_await ask(context, Method::get, "/v1/agent/health/service/id/" + percent_encoded(options_.instance)));
  if (answer.status == 200) co_return false;
  const bool unknown = answer.status == 404, sick = answer.status == 503 || answer.status == 429;
  if (!unknown && !sick) co_return refused(answer);
  if (co_await well(context)) {
    CO_CHECK(co_await announce(context));
    co_return false;
  }
  co_await clock_.sleep(until_it_is_well);
  co_return true;
}

std::uint32_t ConsulDirectory::weight_of(std::string_view service, const Instance& instance) const {
  return static_cast<std::uint32_t>(weigh(weights_, service, instance.id, instance.version).weight);
}

Task<Result<bool>> ConsulDirectory::look(const Context& given, std::string service) {
  auto& watched = watched_.find(service)->second;
  // An agent that was restarted counts anew: a question with the old index would wait for a change that was long ago.
  const auto index = std::exchange(watched.index, "0");
  Context context = given;
  context.deadline = clock_.now() + patience(index);
  if (std::exchange(watched.asked, true)) watched.failed = clock_.now();
  CO_TRY(const auto answer, co_await ask(context, Method::get,
                                         fmt::format("/v1/health/service/{}?passing=1&index={}&wait={}s", service, index, blocking_wait.count())));
  if (answer.status != 200) co_return refused(answer);
  CO_TRY(const auto entries, codec::from_json<std::vector<HealthEntry>>(answer.text()));
  std::vector<Instance> instances;
  for (const auto& entry : entries) {
    const auto& s = entry.Service;
    if (s.Port < 1 || s.Port > 65535) continue;
    instances.push_back({s.ID, s.Address.empty() ? entry.Node.Address : s.Address, static_cast<std::uint16_t>(s.Port), version_in(s), 100});
  }
  watched.asked = false;
  const std::lock_guard lock(mutex_);
  // One that has just come back may have forgotten everybody: they register again within seconds.
  if (instances.empty() && !watched.view->empty() && clock_.now() - watched.failed < forgetfulness) co_return false;
  for (auto& instance : instances) instance.weight = weight_of(service, instance);
  watched.view = std::make_shared<const std::vector<Instance>>(std::move(instances));
  watched.index = next_index(answer, index);
  co_return true;
}

Task<Result<bool>> ConsulDirectory::look_at_weights(const Context& given) {
  const auto index = std::exchange(weights_index_, "0");
  Context context = given;
  context.deadline = clock_.now() + patience(index);
  CO_TRY(const auto answer, co_await ask(context, Method::get,
                                         fmt::format("/v1/kv/shop/weights?raw=1&index={}&wait={}s", index, blocking_wait.count())));
  if (answer.status != 200 && answer.status != 404) co_return refused(answer);
  Weights weights;
  if (answer.status == 200) {
    CO_TRY(weights, codec::from_json<Weights>(answer.text()));
    for (auto& [name, weight] : weights) weight = std::clamp<std::int64_t>(weight, 0, weight_max);
  }
  const std::lock_guard lock(mutex_);
  weights_ = std::move(weights);
  for (auto& [service, watched] : watched_) {
    auto instances = *watched.view;
    for (auto& instance : instances) instance.weight = weight_of(service, instance);
    watched.view = std::make_shared<const std::vector<Instance>>(std::move(instances));
  }
  weights_index_ = next_index(answer, index);
  co_return true;
}

std::vector<ConsulDirectory::Work> ConsulDirectory::background() {
  std::vector<Work> work;
  for (const auto& service : options_.watch) {
    work.push_back({"consul watch of " + service, [this, service](const Context& context) { return look(context, service); }});
  }
  if (!options_.watch.empty()) {
    work.push_back({"consul watch of weights", [this](const Context& context) { return look_at_weights(context); }});
  }
  return work;
}

void StaticDirectory::add(const std::string& service, Instance instance) {
  std::vector<Instance> list;
  if (const auto it = services_.find(service); it != services_.end()) list = *it->second;
  list.push_back(std::move(instance));
  services_[service] = std::make_shared<const std::vector<Instance>>(std::move(list));
}

Instances StaticDirectory::instances(std::string_view service) const {
  const auto it = services_.find(service);
  return it == services_.end() ? std::make_shared<const std::vector<Instance>>() : it->second;
}

Task<Result<void>> StaticDirectory::announce(const Context&) { co_return Result<void>(); }
Task<Result<void>> StaticDirectory::withdraw(const Context&) { co_return Result<void>(); }

Instances CombinedDirectory::instances(std::string_view service) const {
  auto fixed = fixed_.instances(service);
  return fixed->empty() ? discovered_.instances(service) : fixed;
}

}  // namespace shop

#include "adapters/consul/weights.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "adapters/consul/messages.hpp"
#include "codec/base64.hpp"
#include "codec/json_writer.hpp"

namespace shop {
namespace {

constexpr std::string_view key = "/v1/kv/shop/weights";

struct KeyEntry {
  std::optional<std::string> Value;
  std::int64_t ModifyIndex = 0;
};
BOOST_DESCRIBE_STRUCT(KeyEntry, (), (Value, ModifyIndex))

struct Check {
  std::string Status;
};
BOOST_DESCRIBE_STRUCT(Check, (), (Status))

struct CheckedEntry {
  consul::HealthNode Node;
  consul::HealthService Service;
  std::vector<Check> Checks;
};
BOOST_DESCRIBE_STRUCT(CheckedEntry, (), (Node, Service, Checks))

// Consul's alphabet is that of RFC 4648 section 4, padded.
std::optional<std::string> decoded(std::string text) {
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return codec::from_base64url(text);
}

}  // namespace

Weighing weigh(const Weights& weights, std::string_view service, const std::string& instance, std::string_view version) {
  if (const auto own = weights.find(instance); own != weights.end()) return {own->first, own->second};
  const auto by_version = weights.find(fmt::format("{}:{}", service, version));
  return by_version == weights.end() ? Weighing() : Weighing{by_version->first, by_version->second};
}

Task<Result<Response>> ConsulWeights::ask(const Context& context, Method method, std::string target, std::string body) {
  const Request request{method, std::move(target), {}, std::move(body), {}};
  CO_TRY(auto answer, co_await pool_.send(context, agent_, request));
  if (answer.status != 200 && answer.status != 404) co_return consul::refused(answer);
  co_return answer;
}

Task<Result<ConsulWeights::Read>> ConsulWeights::read(const Context& context) {
  CO_TRY(const auto answer, co_await ask(context, Method::get, std::string(key)));
  if (answer.status == 404) co_return Read();
  CO_TRY(const auto entries, codec::from_json<std::vector<KeyEntry>>(answer.text()));
  if (entries.empty()) co_return Read();
  const auto text = decoded(entries.front().Value.value_or(""));
  auto weights = codec::from_json<Weights>(text.value_or(""));
  const bool good = weights && std::ranges::all_of(*weights, [](const auto& each) { return each.second >= 0 && each.second <= weight_max; });
  if (!good) co_return fail(Code::invalid, "The key shop/weights in Consul is no JSON object of weights from 0 to 1000.");
  co_return Read{std::move(*weights), fmt::to_string(entries.front().ModifyIndex)};
}

Task<Result<bool>> ConsulWeights::write(const Context& context, const Weights& weights, const std::string& index) {
  if (weights.empty() && index == "0") co_return true;
  const auto method = weights.empty() ? Method::del : Method::put;
  CO_TRY(const auto answer, co_await ask(context, method, fmt::format("{}?cas={}", key, index), weights.empty() ? std::string() : codec::to_json(weights)));
  co_return answer.text().starts_with("true");
}

Task<Result<void>> ConsulWeights::remove(const Context& context) {
  CO_CHECK(co_await ask(context, Method::del, std::string(key)));
  co_return Result<void>();
}

Task<Result<std::vector<RegisteredInstance>>> ConsulWeights::instances(const Context& context, const std::string& service) {
  CO_TRY(const auto answer, co_await ask(context, Method::get, "/v1/health/service/" + percent_encoded(service)));
  CO_TRY(const auto entries, codec::from_json<std::vector<CheckedEntry>>(answer.text()));
  std::vector<RegisteredInstance> all;
  for (const auto& entry : entries) {
    const auto& s = entry.Service;
    const bool healthy = std::ranges::all_of(entry.Checks, [](const auto& check) { return check.Status == "passing"; });
    all.push_back({service, s.ID, consul::version_in(s), s.Address.empty() ? entry.Node.Address : s.Address, s.Port, healthy});
  }
  co_return all;
}

}  // namespace shop

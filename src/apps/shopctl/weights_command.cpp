#include "apps/shopctl/weights_command.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "adapters/consul/weights.hpp"
#include "adapters/system/system.hpp"
#include "apps/blocking.hpp"
#include "apps/settings.hpp"
#include "codec/json_writer.hpp"
#include "net/io_threads.hpp"
#include "services/gateway/domain.hpp"

namespace shop {
namespace {

constexpr seconds limit{10};
constexpr int attempts = 5;  // somebody else changes them, too

struct Row {
  std::string service, instance, version, address;
  bool healthy = false;
  std::int64_t weight = weight_default;
  double share = 0;  // of the service's requests, per cent
  std::string by;    // the name that says so; nothing: nobody
};
BOOST_DESCRIBE_STRUCT(Row, (), (service, instance, version, address, healthy, weight, share, by))

struct Listing {
  std::vector<Row> instances;
  Weights weights, unused;
};
BOOST_DESCRIBE_STRUCT(Listing, (), (instances, weights, unused))

class Refused : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

bool is_service(std::string_view name) { return std::ranges::count(gateway::prefixes, name, &gateway::Prefix::service) > 0; }

// "product-service-2=0", "product-service:0.3.0=10".
std::pair<std::string, std::int64_t> assignment(const std::string& text) {
  const auto equals = text.rfind('=');
  const auto weight = equals == text.npos ? std::nullopt : whole_number(std::string_view(text).substr(equals + 1));
  if (!weight || *weight < 0 || *weight > weight_max) {
    throw Refused(fmt::format("{} is no NAME=WEIGHT: a weight is a whole number from 0 to {}.", text, weight_max));
  }
  auto name = text.substr(0, equals);
  const auto colon = name.find(':');
  if (name.empty() || colon == name.size() - 1) throw Refused(fmt::format("{} names neither an instance nor SERVICE:VERSION.", text));
  if (colon != name.npos && !is_service(name.substr(0, colon))) throw Refused(fmt::format("{}: {} is no service that is called.", text, name.substr(0, colon)));
  return {std::move(name), *weight};
}

class Run {
 public:
  Run(const WeightsCommand& command, net::Endpoint agent) : command_(command), consul_(std::move(agent), pool_) {
    context_.deadline = clock_.now() + limit;
  }
  ~Run() { threads_.stop(); }  // before the pool, whose connections live on them

  int go() {
    using Verb = WeightsCommand::Verb;
    if (command_.verb == Verb::reset && command_.names.empty()) {
      waited(consul_.remove(context_));
      fmt::print("Every instance has weight {} again.\n", weight_default);
      return 0;
    }
    find_instances();
    if (command_.verb == Verb::list) {
      print(waited(consul_.read(context_)).weights);
      return 0;
    }
    for (int attempt = 0; attempt < attempts; ++attempt) {
      auto [weights, index] = waited(consul_.read(context_));
      command_.verb == Verb::set ? set(weights) : reset(weights);
      if (!waited(consul_.write(context_, weights, index))) continue;
      print(weights);
      return 0;
    }
    throw Refused("The weights are being changed by somebody else: try again.");
  }

 private:
  template <class T>
  T waited(Task<Result<T>> task) {
    auto outcome = run_blocking(threads_.first(), std::move(task));
    if (!outcome) throw Refused(sentence(outcome.error()));
    if constexpr (!std::is_void_v<T>) return std::move(*outcome);
  }

  static std::string sentence(const Error& error) {
    if (error.code == Code::invalid) return error.message + " `shopctl weights reset` removes it.";
    return error.detail.empty() ? error.message : fmt::format("{} ({})", error.message, error.detail);
  }

  void find_instances() {
    for (const auto& prefix : gateway::prefixes) {
      auto some = waited(consul_.instances(context_, std::string(prefix.service)));
      std::ranges::sort(some, {}, &RegisteredInstance::id);
      std::ranges::move(some, std::back_inserter(known_));
    }
  }

  bool meets_somebody(const std::string& name) const {
    return std::ranges::any_of(known_, [&](const auto& each) { return each.id == name || fmt::format("{}:{}", each.service, each.version) == name; });
  }

  void set(Weights& weights) const {
    std::set<std::string> seen;
    for (const auto& text : command_.names) {
      auto [name, weight] = assignment(text);
      if (!seen.insert(name).second) throw Refused(fmt::format("{} is given twice.", name));
      if (!command_.ahead && !meets_somebody(name)) {
        throw Refused(fmt::format("Nobody is registered as {}: --ahead sets it before somebody is.", name));
      }
      weights[std::move(name)] = weight;
    }
    if (command_.force) return;
    std::set<std::string_view> there, served;
    for (const auto& each : known_) {
      if (!each.healthy) continue;
      there.insert(each.service);
      if (weigh(weights, each.service, each.id, each.version).weight > 0) served.insert(each.service);
    }
    for (const auto service : there) {
      if (!served.contains(service)) throw Refused(fmt::format("That leaves nobody for {}, whose requests would get 503: --force does it.", service));
    }
  }

  void reset(Weights& weights) const {
    for (const auto& name : command_.names) {
      if (weights.erase(name) == 0) throw Refused(fmt::format("Nothing is said of {}.", name));
    }
  }

  Listing listing(const Weights& weights) const {
    Listing all{.instances = {}, .weights = weights, .unused = weights};
    std::map<std::string_view, std::int64_t> totals;
    for (const auto& each : known_) {
      const auto weighing = weigh(weights, each.service, each.id, each.version);
      if (each.healthy) totals[each.service] += weighing.weight;
      all.unused.erase(weighing.by);
      auto address = fmt::format("{}:{}", each.address, each.port);
      all.instances.push_back({each.service, each.id, each.version, std::move(address), each.healthy, weighing.weight, 0, weighing.by});
    }
    for (auto& row : all.instances) {
      const auto total = totals[row.service];
      if (row.healthy && total > 0) row.share = 100.0 * static_cast<double>(row.weight) / static_cast<double>(total);
    }
    return all;
  }

  void print(const Weights& weights) const {
    const auto all = listing(weights);
    if (command_.json) {
      fmt::print("{}\n", codec::to_json(all));
      return;
    }
    constexpr std::string_view line = "{:<16} {:<28} {:<12} {:<22} {:<8} {:>6} {:>7}  {}\n";
    fmt::print(fmt::runtime(line), "service", "instance", "version", "address", "state", "weight", "share", "by");
    for (const auto& row : all.instances) {
      fmt::print(fmt::runtime(line), row.service, row.instance, row.version, row.address, row.healthy ? "healthy" : "sick", row.weight,
                 fmt::format("{:.1f}%", row.share), row.by);
    }
    for (const auto& [name, weight] : all.unused) fmt::print("{}={} concerns nobody now.\n", name, weight);
  }

  const WeightsCommand& command_;
  SystemClock clock_;
  net::IoThreads threads_{1};
  net::ClientPool pool_;
  ConsulWeights consul_;
  Context context_;
  std::vector<RegisteredInstance> known_;
};

}  // namespace

void WeightsCommand::declare(CLI::App& app) {
  app.add_flag("--json", json, "For programs");
  app.require_subcommand(1);
  app.add_subcommand("list", "Who is registered, and which share of the requests each gets")->callback([this] { verb = Verb::list; });
  auto* setting = app.add_subcommand("set", "Change some, within a second everywhere");
  setting->add_option("NAME=WEIGHT", names, "NAME is an instance or SERVICE:VERSION; WEIGHT 0 (nothing) to 1000, beside 100 for who has none")->required();
  setting->add_flag("--ahead", ahead, "Also for who is not registered yet");
  setting->add_flag("--force", force, "Also when nobody is left to serve");
  setting->callback([this] { verb = Verb::set; });
  auto* resetting = app.add_subcommand("reset", "Take back these, or all");
  resetting->add_option("NAME", names, "As listed");
  resetting->callback([this] { verb = Verb::reset; });
}

int run_weights(const WeightsCommand& command, const std::string& consul_host, std::uint16_t consul_port) {
  if (consul_host.empty()) throw std::runtime_error("CONSUL_AGENT_HOST is missing: weights are kept in Consul.");
  try {
    return Run(command, {consul_host, consul_port, {}}).go();
  } catch (const Refused& refused) {
    fmt::print(stderr, "shopctl: {}\n", refused.what());
    return 1;
  }
}

}  // namespace shop

#include "apps/shopctl/remote_shop.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "adapters/consul/consul.hpp"
#include "adapters/system/system.hpp"
#include "apps/blocking.hpp"
#include "apps/settings.hpp"
#include "net/io_threads.hpp"
#include "runtime/http_caller.hpp"
#include "services/gateway/domain.hpp"

namespace shop {
namespace {

constexpr milliseconds consul_limit{5000};

}  // namespace

void RemoteSettings::declare(CLI::App& app) {
  setting(app, "--consul-agent-host", "CONSUL_AGENT_HOST", consul_host, "Consul agent of a distributed shop, instead of a data folder", format::host());
  setting(app, "--consul-agent-port", "CONSUL_AGENT_PORT", consul_port, "Its port", 1, 65535);
  secret(app, "--internal-token", "INTERNAL_TOKEN", internal_token, "Credential of a distributed shop's services");
  tls.declare(app);
  for (const auto& service : gateway::built_services()) {
    setting(app, fmt::format("--{}-url", service), variable_of_peer(service), urls[service], "Fixed address of a distributed shop's service",
            format::address({"http"}));
  }
}

bool RemoteSettings::given() const {
  return !consul_host.empty() || std::ranges::any_of(urls, [](const auto& each) { return !each.second.empty(); });
}

struct RemoteShop::Parts {
  explicit Parts(const RemoteSettings& settings)
      : tls(settings.tls.open("shopctl")),
        pool(32, tls.get()),
        consul(options(settings), pool, clock),
        directory(fixed, consul),
        balancer(directory, clock, random),
        caller({"shopctl", tls ? std::string() : settings.internal_token}, balancer, pool, clock, random) {
    for (const auto& [service, url] : settings.urls) {
      if (url.empty()) continue;
      const auto endpoint = endpoint_of(url, 80, variable_of_peer(service));
      fixed.add(service, {service + "@" + endpoint.text(), endpoint.host, endpoint.port, {}, 100});
    }
    if (settings.consul_host.empty()) return;
    for (auto& work : consul.background()) {
      if (!work.name.starts_with("consul watch of ")) continue;
      Context context;
      context.deadline = clock.now() + consul_limit;
      if (const auto looked = run_blocking(threads.first(), work.step(context)); !looked) {
        throw std::runtime_error(fmt::format("Consul at {}:{} does not say who runs where: {}", settings.consul_host, settings.consul_port,
                                             looked.error().message));
      }
    }
  }
  ~Parts() { threads.stop(); }  // before the pool, whose connections live on them

  static ConsulOptions options(const RemoteSettings& settings) {
    ConsulOptions options;
    if (settings.consul_host.empty()) return options;
    options.host = settings.consul_host;
    options.port = settings.consul_port;
    options.watch = gateway::built_services();
    return options;
  }

  SystemClock clock;
  SystemRandom random;
  net::IoThreads threads{1};
  const std::unique_ptr<net::Tls> tls;
  net::ClientPool pool;
  StaticDirectory fixed;
  ConsulDirectory consul;
  CombinedDirectory directory;
  Balancer balancer;
  HttpCaller caller;
};

RemoteShop::RemoteShop(const RemoteSettings& settings) {
  if (settings.internal_token.empty() && !settings.tls.given()) {
    throw std::runtime_error("INTERNAL_TOKEN is missing: the services know an operator by it, or by TLS_CERT_FILE.");
  }
  parts_ = std::make_unique<Parts>(settings);
}

RemoteShop::~RemoteShop() = default;

void RemoteShop::stay_with_one(const std::string& service) {
  if (const auto there = parts_->directory.instances(service); there->size() > 1) parts_->fixed.add(service, there->front());
}

ServiceCaller& RemoteShop::caller() { return parts_->caller; }
boost::asio::io_context& RemoteShop::loop() { return parts_->threads.first(); }

}  // namespace shop

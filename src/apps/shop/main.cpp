// shop: every service in one process, nothing to install or configure.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <iostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "apps/embedded_shop.hpp"
#include "apps/settings.hpp"
#include "net/server.hpp"
#include "observe/log.hpp"
#include "services/gateway/domain.hpp"

namespace {

struct Options {
  std::uint16_t port = 3000;
  std::string bind = "127.0.0.1";
  std::string data = "./data";
  std::string image_base_url, origins = "*", metrics_addresses;
  shop::EmbeddedOptions embedded;
  bool demo = false;
  int grace_seconds = 5;
  shop::LogLevel log_level = shop::LogLevel::info;
};

int parse(int argc, char** argv, Options& options) {
  using namespace shop;
  auto& embedded = options.embedded;
  CLI::App app{"shop: a complete headless shop in one process.\nCatalogue, carts, checkout, search, accounts and pictures at one address.", "shop"};
  app.set_version_flag("--version", "shop " SHOP_VERSION);
  setting(app, "--port", "PORT", options.port, "Port to listen on; 0: any that is free", 0, 65535);
  app.add_option("--bind", options.bind, "Address to listen on; 0.0.0.0 for every one")->capture_default_str();
  app.add_option("--data", options.data, "Folder that holds everything; made if missing")->capture_default_str();
  app.add_flag("--demo", options.demo, "Load the demo catalogue and accounts (admin@admin.com / password). Never for production");
  setting(app, "--image-base-url", "IMAGE_BASE_URL", options.image_base_url,
          "Address under which clients reach the shop, for links to pictures; default http://localhost:PORT", format::web_address());
  setting(app, "--cors-allow-origin", "CORS_ALLOW_ORIGIN", options.origins, "Origins that browsers may call from", format::origins());
  setting(app, "--metrics-allow", "METRICS_ALLOW", options.metrics_addresses, "Addresses that may read /metrics; empty: every one", format::ip_addresses());
  setting(app, "--uploads-per-minute", "UPLOADS_PER_MINUTE", embedded.uploads_per_minute, "Pictures that may be stored from one address", 1, limit_max);
  setting(app, "--registrations-per-minute", "REGISTRATIONS_PER_MINUTE", embedded.registrations_per_minute,
          "Accounts that may be registered from one address", 1, limit_max);
  setting(app, "--logins-per-minute", "LOGINS_PER_MINUTE", embedded.logins_per_minute, "Logins that succeed, from one address", 1, limit_max);
  setting(app, "--login-failures-per-minute", "LOGIN_FAILURES_PER_MINUTE", embedded.login_failures_per_minute,
          "Logins that fail, on one account from one address", 1, limit_max);
  setting(app, "--order-lookups-per-minute", "ORDER_LOOKUPS_PER_MINUTE", embedded.order_lookups_per_minute,
          "Orders looked up without an account, from one address", 1, limit_max);
  setting(app, "--allow-order-backdating", "ALLOW_ORDER_BACKDATING", embedded.allow_order_backdating,
          "true: honour overrideCreatedAt of orders, for load tests");
  setting(app, "--grace", "SHUTDOWN_GRACE_SECONDS", options.grace_seconds, "Seconds that running requests have to end at a stop", 0, 300);
  setting(app, "--log-level", "LOG_LEVEL", options.log_level, "What the log on stdout tells");
  return parse_settings(app, argc, argv);
}

void run(const Options& options) {
  using namespace shop;
  const auto begun = std::chrono::steady_clock::now();
  auto folder = DataFolder::lock(options.data);
  if (!folder) throw std::runtime_error(fmt::format("Another shop runs on {}: stop it, or choose another folder with --data.", options.data));
  const auto path = folder->path();

  auto embedded = options.embedded;
  embedded.io_threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 8);
  embedded.image_base_url = options.image_base_url.empty() ? fmt::format("http://localhost:{}", options.port) : options.image_base_url;
  embedded.demo = options.demo;
  embedded.origins = entries_of(options.origins);
  embedded.metrics_addresses = entries_of(options.metrics_addresses);
  EmbeddedShop shop(std::move(*folder), embedded);
  shop.start();

  Edge edge(shop.gateway(), shop.clock(), shop.random(), shop.metrics(), {.keep_forwarded = false});
  net::ServerOptions outside{.address = options.bind, .port = options.port};
  outside.slashes_below = gateway::slashes_below;
  outside.on_refused = [&edge](std::string_view reason) { return edge.refused(reason); };
  net::Server server(shop.threads(), outside, edge);
  Edge control_edge(shop.control(), shop.clock(), shop.random(), shop.metrics(), {});
  net::Server control(shop.threads(), {.unix_socket = control_socket(path), .slashes_below = "/product-service/sku/"}, control_edge);

  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
  fmt::print(stderr, "The shop is open at http://localhost:{} ({:.0f} ms). API: http://localhost:{}/docs\n", server.port(), took.count(), server.port());
  if (options.demo) {
    fmt::print(stderr, "Demo data: log in as admin@admin.com with the password \"password\".\n");
  } else if (!shop.has_users()) {
    fmt::print(stderr, "It is empty. Make the first administrator with: shopctl --data {} create-admin EMAIL PASSWORD\n", options.data);
  }

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  int received = 0;
  sigwait(&signals, &received);
  const auto deadline = std::chrono::steady_clock::now() + seconds(options.grace_seconds);
  shop.not_ready();
  server.drain(deadline, server.connections() > 0 ? net::farewell : milliseconds(0));
  control.drain(deadline);
  shop.stop(std::max(deadline, std::chrono::steady_clock::now() + seconds(1)));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const int code = parse(argc, argv, options); code >= 0) return code;

  // Signals are waited for by the main thread alone; every thread made later inherits the mask.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  mallopt(M_ARENA_MAX, 2);  // a handful of threads that allocate little: fewer arenas, less memory

  shop::start_log("shop", "local", options.log_level);
  int code = 0;
  try {
    run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "shop: {}\n", error.what());
    code = 1;
  }
  shop::stop_log();
  return code;
}

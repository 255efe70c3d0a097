#include "apps/embedded_shop.hpp"

#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>

#include "adapters/argon2/password_hasher.hpp"
#include "adapters/folder/folder.hpp"
#include "adapters/memory_kv/memory_kv.hpp"
#include "adapters/sql_kv/sql_kv.hpp"
#include "adapters/sql_log/sql_log.hpp"
#include "adapters/sqlite/database.hpp"
#include "adapters/system/system.hpp"
#include "adapters/xapian/xapian_index.hpp"
#include "apps/blocking.hpp"
#include "apps/demo/demo.hpp"
#include "net/openapi.hpp"
#include "observe/log.hpp"
#include "runtime/authenticator.hpp"
#include "runtime/local_network.hpp"
#include "runtime/task_group.hpp"
#include "services/auth/module.hpp"
#include "services/cart/module.hpp"
#include "services/gateway/gateway.hpp"
#include "services/image/module.hpp"
#include "services/order/module.hpp"
#include "services/product/module.hpp"
#include "services/search/module.hpp"

namespace shop {
namespace {

using Backends = std::map<std::string, std::unique_ptr<gateway::Backend>, std::less<>>;

Backends local_backends(const std::vector<Service*>& services) {
  Backends backends;
  for (auto* service : services) {
    backends.emplace(service->router().service(), std::make_unique<gateway::LocalBackend>(service->router()));
  }
  return backends;
}

image::Settings image_settings(const EmbeddedOptions& options) {
  image::Settings settings{.base_url = options.image_base_url};
  settings.uploads.most = options.uploads_per_minute;
  settings.attempts.most = std::max(settings.attempts.most, options.uploads_per_minute);
  return settings;
}

auth::Settings auth_settings(const EmbeddedOptions& options) {
  auth::Settings settings;
  settings.registrations.most = options.registrations_per_minute;
  settings.logins.most = options.logins_per_minute;
  settings.login_failures.most = options.login_failures_per_minute;
  return settings;
}

order::Settings order_settings(const EmbeddedOptions& options) {
  order::Settings settings;
  settings.lookups.most = options.order_lookups_per_minute;
  settings.allow_backdating = options.allow_order_backdating;
  return settings;
}

void or_throw(const Result<void>& outcome) {
  if (outcome) return;
  const auto& error = outcome.error();
  throw std::runtime_error(error.detail.empty() ? error.message : fmt::format("{} ({})", error.message, error.detail));
}

std::shared_ptr<const std::string> describe(const std::vector<Service*>& services) {
  std::vector<const net::Router*> routers;
  for (auto* service : services) routers.push_back(&service->router());
  return std::make_shared<const std::string>(net::openapi_document(routers));
}

// Written when it is first asked for: most shops that start are never asked.
class Description {
 public:
  Task<Result<std::shared_ptr<const std::string>>> of(const std::vector<Service*>& services) {
    std::call_once(once_, [&] { text_ = describe(services); });
    co_return text_;
  }

 private:
  std::once_flag once_;
  std::shared_ptr<const std::string> text_;
};

constexpr std::uint64_t most_of_a_row = 512;  // fewer than may wait for a store: who is one too many is told so before anything was done for him

}  // namespace

struct EmbeddedShop::Parts {
  Parts(DataFolder locked, EmbeddedOptions given)
      : options(std::move(given)),
        folder(std::move(locked)),
        metrics("shop", "local"),
        network(metrics),
        auth_database(sqlite::open({.path = folder.file("auth.db")}, clock)),
        product_database(sqlite::open({.path = folder.file("product.db")}, clock)),
        order_database(sqlite::open({.path = folder.file("order.db")}, clock)),
        events_database(sqlite::open({.path = folder.file("events.db")}, clock)),
        carts_database(sqlite::open({.path = folder.file("carts.db"), .readers = 1, .durable = false}, clock)),
        events(*events_database, clock),
        carts(*carts_database, clock),
        limits(clock),
        search_index(open_xapian({.folder = folder.file("search")})),
        hashing("hashing", std::max<std::size_t>(1, std::thread::hardware_concurrency() - 1), 64, true),
        hasher(hashing, random),
        files("files", 4, 256),
        pictures(folder.file("images"), files, clock, random),
        auth_caller(network, "auth-service"),
        product_caller(network, "product-service"),
        image_caller(network, "image-service"),
        cart_caller(network, "cart-service"),
        order_caller(network, "order-service"),
        search_caller(network, "search-service"),
        operator_caller(network, "shopctl", true),
        authenticator(auth_caller, clock),
        auth({clock, random, events, auth_caller, authenticator, metrics}, auth_settings(options), *auth_database, limits, hasher),
        product({clock, random, events, product_caller, authenticator, metrics}, {}, *product_database),
        image({clock, random, events, image_caller, authenticator, metrics}, image_settings(options), pictures, files, limits),
        cart({clock, random, events, cart_caller, authenticator, metrics}, {}, carts),
        order({clock, random, events, order_caller, authenticator, metrics}, order_settings(options), *order_database, limits),
        search({clock, random, events, search_caller, authenticator, metrics}, *search_index),
        services{&auth, &product, &image, &cart, &order, &search},
        gateway_health("api-gateway", clock),
        gateway({options.origins, options.metrics_addresses},
                gateway_health, metrics, local_backends(services), [this](const Context&) { return description.of(services); }),
        control(network),
        demo(operator_caller, clock),
        expiry(clock, {.name = "cart expiry", .period = minutes(10)}, [this](const Context& context) { return carts.sweep(context); }),
        trimming(clock, {.name = "event log trimming", .period = minutes(10)}, [this](const Context& context) { return events.trim(context, events_kept); }),
        threads(options.io_threads) {
    for (auto* service : services) {
      service->router().set_most_of_a_row(most_of_a_row);
      network.add(service->router());
    }
    product.carry_demo(demo);
    watch_tokens(metrics, authenticator);
    watch_database(metrics, *auth_database, "auth");
    watch_database(metrics, *product_database, "product");
    watch_database(metrics, *order_database, "order");
    watch_database(metrics, *events_database, "events");
    watch_database(metrics, *carts_database, "carts");
  }

  // Whatever still runs ends in this order: the I/O threads, then the workers, whose answers go to the loops of those threads,
  // then what waits for its turn in a service, then the loops with what is left in them, then all that it refers to.
  ~Parts() {
    threads.stop();
    for (auto* database : {&auth_database, &product_database, &order_database, &events_database, &carts_database}) database->reset();
    search_index.reset();
    hashing.stop();
    files.stop();
    for (auto* service : services) service->abandon();
  }

  std::vector<Loop*> loops() {
    std::vector<Loop*> all{&expiry, &trimming};
    for (auto* service : services) std::ranges::copy(service->loops(), std::back_inserter(all));
    return all;
  }

  Task<Result<void>> prepare(const Context& context) {
    CO_CHECK(co_await events.prepare(context));
    CO_CHECK(co_await carts.prepare(context));
    for (auto* service : services) CO_CHECK(co_await service->prepare(context));
    co_return Result<void>();
  }

  // Once for each folder: what the operator changes or deletes afterwards stays so.
  Task<Result<void>> load_demo_once(const Context& context) {
    const auto mark = folder.path() / "demo-loaded";
    if (std::filesystem::exists(mark)) co_return Result<void>();
    CO_CHECK(co_await create_demo_accounts(operator_caller, context));
    CO_CHECK(co_await load_demo(operator_caller, clock, context));
    std::ofstream(mark) << clock.wall().text() << '\n';
    co_return Result<void>();
  }

  Task<Result<std::int64_t>> count_users() {
    const Context context;
    const Peer peer(operator_caller, "auth-service");
    CO_TRY(const auto total, co_await peer.get<auth::Total>(context, "/users/internal/total-count"));
    co_return total.total;
  }

  const EmbeddedOptions options;
  const DataFolder folder;

  SystemClock clock;
  SystemRandom random;
  Metrics metrics;
  LocalNetwork network;

  std::unique_ptr<Database> auth_database, product_database, order_database, events_database, carts_database;
  SqlEventLog events;
  SqlKeyValue carts;
  MemoryKeyValue limits;
  std::unique_ptr<SearchIndex> search_index;
  WorkerPool hashing;
  Argon2Hasher hasher;
  WorkerPool files;
  FolderBlobs pictures;

  LocalCaller auth_caller, product_caller, image_caller, cart_caller, order_caller, search_caller, operator_caller;
  TokenAuthenticator authenticator;
  auth::AuthModule auth;
  product::ProductModule product;
  image::ImageModule image;
  cart::CartModule cart;
  order::OrderModule order;
  search::SearchModule search;
  std::vector<Service*> services;

  Health gateway_health;
  Description description;
  gateway::Gateway gateway;
  ControlApplication control;
  BuiltInDemo demo;
  Loop expiry, trimming;

  TaskGroup background;
  net::IoThreads threads;  // last: its threads end before anything they use
};

EmbeddedShop::EmbeddedShop(DataFolder folder, EmbeddedOptions options)
    : parts_(std::make_unique<Parts>(std::move(folder), std::move(options))) {}

// A start that failed half-way has work in the background as well.
EmbeddedShop::~EmbeddedShop() { stop(std::chrono::steady_clock::now() + seconds(2)); }

void EmbeddedShop::start() {
  auto& parts = *parts_;
  Context context;
  or_throw(run_blocking(parts.threads.first(), parts.prepare(context)));
  for (auto* loop : parts.loops()) parts.background.spawn(parts.threads.next(), loop->run());
  if (parts.options.demo) or_throw(run_blocking(parts.threads.first(), parts.load_demo_once(context)));
}

bool EmbeddedShop::stop(Monotonic deadline) {
  auto& parts = *parts_;
  for (auto* loop : parts.loops()) loop->stop();
  const bool ended = parts.background.wait(deadline);
  parts.threads.stop();
  return ended;
}

void EmbeddedShop::not_ready() {
  parts_->gateway_health.set_ready(false);
  for (auto* service : parts_->services) service->health().set_ready(false);
}

bool EmbeddedShop::has_users() {
  const auto total = run_blocking(parts_->threads.first(), parts_->count_users());
  return total && *total > 0;
}

Application& EmbeddedShop::control() { return parts_->control; }
Application& EmbeddedShop::gateway() { return parts_->gateway; }
ServiceCaller& EmbeddedShop::operator_caller() { return parts_->operator_caller; }
net::IoThreads& EmbeddedShop::threads() { return parts_->threads; }
Clock& EmbeddedShop::clock() { return parts_->clock; }
Random& EmbeddedShop::random() { return parts_->random; }
Metrics& EmbeddedShop::metrics() { return parts_->metrics; }

}  // namespace shop

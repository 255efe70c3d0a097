#include "apps/service_process.hpp"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "adapters/argon2/password_hasher.hpp"
#include "adapters/consul/consul.hpp"
#include "adapters/elasticsearch/elasticsearch_index.hpp"
#include "adapters/folder/folder.hpp"
#include "adapters/kafka/kafka.hpp"
#include "adapters/memory_kv/memory_kv.hpp"
#include "adapters/postgres/database.hpp"
#include "adapters/redis/redis.hpp"
#include "adapters/sqlite/database.hpp"
#include "adapters/system/system.hpp"
#include "adapters/xapian/xapian_index.hpp"
#include "apps/blocking.hpp"
#include "apps/settings.hpp"
#include "net/server.hpp"
#include "observe/log.hpp"
#include "runtime/authenticator.hpp"
#include "runtime/http_caller.hpp"
#include "runtime/task_group.hpp"
#include "services/gateway/domain.hpp"
#include "services/gateway/remote_backend.hpp"

namespace shop {
namespace {

constexpr std::uint64_t most_of_a_row = 1024;  // more orders at once would wait for one another at every peer until their clients have gone
constexpr milliseconds clean_up_limit{500};
constexpr seconds consul_limit{3};  // for an answer that it need not wait for

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

struct CommonSettings {
  std::uint16_t port = 3000;
  std::string bind = "0.0.0.0";
  std::string service_name, consul_host, pod_ip, pod_hostname, environment = "production";
  std::string internal_token;
  TlsSettings tls;
  std::string tls_allow;
  std::uint16_t health_port = 0, consul_port = 8500, redis_port = 6379;
  std::string database_url, kafka_brokers, redis_url, redis_host, redis_password, upload_dir, search, elasticsearch_node;
  int partitions = 6, replication = 1, database_connections = 10;
  int threads = 1, grace_seconds = 5;
  LogLevel log_level = LogLevel::info;
  std::map<std::string, std::string> peer_urls;          // service -> address
  std::map<std::string, std::string, std::less<>> own;   // variable -> value
};

std::string joined(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ",")); }

std::set<std::string, std::less<>> names_in(std::string_view list) {
  const auto names = entries_of(list);
  return {names.begin(), names.end()};
}

Format service_names() {
  return {"NAME,…", [](const std::string& value) -> std::string {
            for (const auto& name : names_in(value)) {
              if (!net::service_of_identity(net::identity_uri(name))) return "names what is no service";
            }
            return {};
          }};
}

Format database_address() {
  return {"URL", [](const std::string& value) -> std::string {
            if (value.empty() || (value.starts_with("sqlite:") && value.size() > 7)) return {};
            return postgres::usable_address(value) ? "" : "is neither postgres://user:password@host:port/database nor sqlite:FILE";
          }};
}

Format key_value_address() {
  auto address = format::address({"redis", "tcp"});
  address.fault = [of_server = address.fault](const std::string& value) { return value == "memory:" ? std::string() : of_server(value); };
  return address;
}

Format search_address() {
  return {"URL", [](const std::string& value) -> std::string {
            if (value.empty() || (value.starts_with("xapian:") && value.size() > 7)) return {};
            constexpr std::string_view scheme = "elasticsearch://";
            const bool engine = value.starts_with(scheme) && value.size() > scheme.size();
            return engine ? format::addresses().fault(value.substr(scheme.size())) : "is neither elasticsearch://host:port nor xapian:FOLDER";
          }};
}

void declare(CLI::App& app, CommonSettings& s, const ServiceProgram& program) {
  setting(app, "--port", "PORT", s.port, "Port to listen on", 1, 65535);
  setting(app, "--bind", "BIND", s.bind, "Address to listen on", format::ip_address());
  setting(app, "--service-name", "SERVICE_NAME", s.service_name, "Name to register under", format::name())->default_str(program.name);
  setting(app, "--consul-agent-host", "CONSUL_AGENT_HOST", s.consul_host, "Consul agent; empty: peers by fixed address only", format::host());
  setting(app, "--consul-agent-port", "CONSUL_AGENT_PORT", s.consul_port, "Its port", 1, 65535);
  setting(app, "--pod-ip", "POD_IP", s.pod_ip, "Address under which others reach this process", format::host());
  setting(app, "--pod-hostname", "POD_HOSTNAME", s.pod_hostname, "Name of this instance", format::name());
  setting(app, "--environment", "ENVIRONMENT", s.environment, "Environment, for Consul's tags", format::name());
  secret(app, "--internal-token", "INTERNAL_TOKEN", s.internal_token, "Credential by which services know each other");
  s.tls.declare(app);
  if (program.name != gateway_name) {
    setting(app, "--tls-allow", "TLS_ALLOW", s.tls_allow, "Services that may call this one with TLS, shopctl among them", service_names())
        ->default_str(joined(program.callers));
    setting(app, "--health-port", "HEALTH_PORT", s.health_port, "Port for /health and /metrics alone, always plain; 0: none", 0, 65535);
  }
  setting(app, "--threads", "THREADS", s.threads, "I/O threads", 1, 64);
  setting(app, "--grace", "SHUTDOWN_GRACE_SECONDS", s.grace_seconds, "Seconds that running requests have to end at a stop", 0, 300);
  setting(app, "--log-level", "LOG_LEVEL", s.log_level, "What the log on stdout tells");
  if (program.uses_database) {
    secret(app, "--database-url", "DATABASE_URL", s.database_url, "postgres://user:password@host:port/database, or sqlite:FILE", database_address());
    setting(app, "--database-connections", "DATABASE_CONNECTIONS", s.database_connections, "Connections to PostgreSQL at most", 1, 200);
  }
  if (program.uses_events) {
    setting(app, "--kafka-brokers", "KAFKA_BROKERS", s.kafka_brokers, "Kafka's brokers, some of them", format::addresses());
    setting(app, "--kafka-partitions", "KAFKA_PARTITIONS", s.partitions, "Partitions of topics that have to be made", 1, 1000);
    setting(app, "--kafka-replication", "KAFKA_REPLICATION", s.replication, "Their replication", 1, 10);
  }
  if (program.uses_key_values) {
    setting(app, "--redis-url", "REDIS_URL", s.redis_url, "redis://host:port, or memory: for one process alone", key_value_address());
    setting(app, "--redis-host", "REDIS_HOST", s.redis_host, "Redis server, when REDIS_URL is not given", format::address({"redis", "tcp"}));
    setting(app, "--redis-port", "REDIS_PORT", s.redis_port, "Its port", 1, 65535);
    secret(app, "--redis-password", "REDIS_PASSWORD", s.redis_password, "Its password");
  }
  if (program.uses_blobs) setting(app, "--upload-dir", "UPLOAD_DIR", s.upload_dir, "Folder of the files, shared by all replicas");
  if (program.uses_search) {
    setting(app, "--search", "SEARCH", s.search, "elasticsearch://host:port,host:port, or xapian:FOLDER for one process alone", search_address());
    setting(app, "--elasticsearch-node", "ELASTICSEARCH_NODE", s.elasticsearch_node, "http://host:port, when SEARCH is not given", format::address({"http"}));
  }
  for (const auto& peer : program.peers) {
    setting(app, fmt::format("--{}-url", peer), variable_of_peer(peer), s.peer_urls[peer], "Fixed address instead of discovery", format::address({"http"}));
  }
  for (const auto& own : program.settings) {
    auto& value = s.own[own.variable];
    value = own.fallback;
    if (own.is_secret) secret(app, own.option, own.variable, value, own.description, own.format);
    else setting(app, own.option, own.variable, value, own.description, own.format);
  }
}

class NoEvents final : public EventLog {
 public:
  Task<Result<void>> publish(const Context&, std::vector<EventRecord>) override { co_return none(); }
  std::unique_ptr<Subscription> subscribe(std::string, std::vector<std::string>) override { throw std::logic_error("no event log is configured"); }
  Task<Result<std::vector<DeliveredEvent>>> history(const Context&, std::vector<std::string>, std::size_t) override { co_return none(); }
  Task<Result<void>> ping(const Context&) override { co_return none(); }

 private:
  static Failure none() { return fail(Code::unavailable, "No event log is configured."); }
};

// Everything between the settings and the service; constructed in order of dependence.
class Process final : public ProcessResources {
 public:
  Process(const ServiceProgram& program, CommonSettings settings)
      : program_(program),
        settings_(std::move(settings)),
        instance_(program.name + "-" + (settings_.pod_hostname.empty() ? host_name() : settings_.pod_hostname)),
        metrics_(program.name, instance_),
        threads_(static_cast<std::size_t>(settings_.threads)),
        workers_("workers", 4, 256),
        tls_(settings_.tls.open(program.name)),
        pool_(32, tls_.get()),
        balancer_(directory(), clock_, random_),
        caller_({program.name, settings_.internal_token}, balancer_, pool_, clock_, random_),
        operator_caller_({"shopctl", settings_.internal_token}, balancer_, pool_, clock_, random_),
        authenticator_(caller_, clock_),
        world_{clock_, random_, events(), caller_, authenticator_, metrics_} {
    watch_tokens(metrics_, authenticator_);
  }

  ~Process() override { threads_.stop(); }  // before what they use; the loops themselves go last, with what waits in them

  const ServiceWorld& world() override { return world_; }

  Database& database() override {
    const auto& url = settings_.database_url;
    if (database_) return *database_;
    if (url.starts_with("postgres://") || url.starts_with("postgresql://")) {
      auto pool = postgres::open({.url = url, .connections = static_cast<std::size_t>(settings_.database_connections)}, threads_.first(), workers_, clock_);
      database_ = std::move(pool);
    } else if (url.starts_with("sqlite:")) {
      database_ = sqlite::open({.path = url.substr(7)}, clock_);
    } else {
      throw std::runtime_error("DATABASE_URL is missing: give postgres://user:password@host:port/database.");
    }
    watch_database(metrics_, *database_, std::string_view(program_.name).substr(0, program_.name.find('-')));
    return *database_;
  }

  KeyValueStore& key_values() override {
    if (key_values_) return *key_values_;
    const bool given = !settings_.redis_url.empty() || !settings_.redis_host.empty();
    if (settings_.redis_url == "memory:" || (!given && program_.key_values_optional)) {
      key_values_ = std::make_unique<MemoryKeyValue>(clock_);
    } else {
      const auto address = !settings_.redis_url.empty() ? settings_.redis_url : settings_.redis_host;
      if (address.empty()) throw std::runtime_error("REDIS_URL is missing: give redis://host:port.");
      const auto endpoint = endpoint_of(address, settings_.redis_port, "REDIS_URL");
      key_values_ = open_redis({.host = endpoint.host, .port = endpoint.port, .password = settings_.redis_password}, threads_.first(), clock_);
    }
    return *key_values_;
  }

  SearchIndex& search_index() override {
    if (search_index_) return *search_index_;
    if (settings_.search.starts_with("xapian:")) {
      search_index_ = open_xapian({.folder = settings_.search.substr(7)});
    } else {
      search_index_ = open_elasticsearch({.nodes = search_nodes()}, pool_, clock_);
    }
    return *search_index_;
  }

  BlobStore& blobs() override {
    if (settings_.upload_dir.empty()) throw std::runtime_error("UPLOAD_DIR is missing: give the folder that keeps the files.");
    if (!blobs_) blobs_ = std::make_unique<FolderBlobs>(settings_.upload_dir, workers_, clock_, random_);
    return *blobs_;
  }

  PasswordHasher& hasher() override {
    if (!hasher_) {
      hashing_ = std::make_unique<WorkerPool>("hashing", std::max<std::size_t>(1, std::thread::hardware_concurrency() - 1), 64, true);
      hasher_ = std::make_unique<Argon2Hasher>(*hashing_, random_);
    }
    return *hasher_;
  }

  WorkerPool& workers() override { return workers_; }
  ServiceCaller& operator_caller() override { return operator_caller_; }

  std::string text(std::string_view variable) const override { return settings_.own.at(std::string(variable)); }

  bool flag(std::string_view variable) const override { return text(variable) == "true"; }
  std::int64_t number(std::string_view variable) const override { return whole_number(text(variable)).value(); }

  net::IoThreads& threads() { return threads_; }
  void stop() {
    threads_.stop();
    workers_.stop();
    if (hashing_) hashing_->stop();
  }
  Clock& clock() { return clock_; }
  Random& random() { return random_; }
  Metrics& metrics() { return metrics_; }
  Balancer& balancer() { return balancer_; }
  net::ClientPool& pool() { return pool_; }
  net::ClientPool& consul_pool() { return consul_pool_; }
  ServiceCaller& caller() { return caller_; }
  net::Tls* tls() { return tls_.get(); }
  ConsulDirectory* consul() { return consul_.get(); }

 private:
  std::vector<net::Endpoint> search_nodes() const {
    constexpr std::string_view scheme = "elasticsearch://";
    const bool by_node = settings_.search.empty();
    std::string_view given = by_node ? settings_.elasticsearch_node : settings_.search;
    if (given.empty()) throw std::runtime_error("SEARCH is missing: give elasticsearch://host:port, or xapian:FOLDER.");
    if (!by_node) given.remove_prefix(scheme.size());
    std::vector<net::Endpoint> nodes;
    for (const auto& node : entries_of(given)) nodes.push_back(endpoint_of(node, 9200, by_node ? "ELASTICSEARCH_NODE" : "SEARCH"));
    return nodes;
  }

  ServiceDirectory& directory() {
    for (const auto& [service, url] : settings_.peer_urls) {
      if (url.empty()) continue;
      const auto endpoint = endpoint_of(url, 80, variable_of_peer(service));
      fixed_.add(service, {service + "@" + endpoint.text(), endpoint.host, endpoint.port, {}, 100});
    }
    if (settings_.consul_host.empty()) return fixed_;
    ConsulOptions options{.host = settings_.consul_host,
                          .port = settings_.consul_port,
                          .watch = program_.peers,
                          .service = settings_.service_name.empty() ? program_.name : settings_.service_name,
                          .instance = instance_,
                          .address = settings_.pod_ip.empty() ? host_name() : settings_.pod_ip,
                          .environment = settings_.environment,
                          .version = SHOP_VERSION,
                          .service_port = settings_.port,
                          .health_port = settings_.health_port};
    consul_ = std::make_unique<ConsulDirectory>(std::move(options), consul_pool_, clock_);
    combined_ = std::make_unique<CombinedDirectory>(fixed_, *consul_);
    return *combined_;
  }

  EventLog& events() {
    if (!program_.uses_events) {
      events_ = std::make_unique<NoEvents>();
    } else {
      if (settings_.kafka_brokers.empty()) throw std::runtime_error("KAFKA_BROKERS is missing: give host:port,host:port.");
      events_ = open_kafka({.brokers = settings_.kafka_brokers, .client_id = instance_, .partitions = settings_.partitions,
                            .replication = settings_.replication},
                           clock_);
    }
    return *events_;
  }

  const ServiceProgram& program_;
  const CommonSettings settings_;
  const std::string instance_;

  SystemClock clock_;
  SystemRandom random_;
  Metrics metrics_;
  net::IoThreads threads_;
  WorkerPool workers_;
  const std::unique_ptr<net::Tls> tls_;
  net::ClientPool pool_, consul_pool_;

  StaticDirectory fixed_;
  std::unique_ptr<ConsulDirectory> consul_;
  std::unique_ptr<CombinedDirectory> combined_;
  Balancer balancer_;
  HttpCaller caller_, operator_caller_;
  TokenAuthenticator authenticator_;
  std::unique_ptr<EventLog> events_;
  ServiceWorld world_;

  std::unique_ptr<Database> database_;
  std::unique_ptr<KeyValueStore> key_values_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<SearchIndex> search_index_;
  std::unique_ptr<WorkerPool> hashing_;
  std::unique_ptr<PasswordHasher> hasher_;
};

void block_signals(sigset_t& signals) {
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// Runs `prepare` until it succeeds, then marks the process ready and starts what works in the background.
class Starter {
 public:
  Starter(Process& process, Service* service) : process_(process), service_(service) {}

  const std::atomic<bool>& ready() const { return ready_; }

  void begin() {
    process_background();
    auto& starting = loops_.emplace_back(std::make_unique<Loop>(
        process_.clock(), LoopOptions{.name = "start", .period = hours(24), .backoff_first = milliseconds(100), .backoff_max = milliseconds(2000)},
        [this](const Context& context) { return attempt(context); }));
    background_.spawn(process_.threads().first(), starting->run());
  }

  // Before it listens, for one that others still know from before a crash: a closed port sends them to another instance at once, an open one
  // that is not ready would not. At most until all have heard that it is gone.
  void begin_unheard(milliseconds limit) {
    Context context;
    context.deadline = process_.clock().now() + limit;
    ready_ = !service_ || run_blocking(process_.threads().first(), service_->prepare(context)).has_value();
    if (!ready_) std::this_thread::sleep_until(context.deadline);
  }

  void end(Monotonic deadline) {
    ready_ = false;
    ending_ = true;
    for (auto& loop : loops_) loop->stop();
    process_.consul_pool().cut();  // its questions wait long
    if (service_) {
      for (auto* loop : service_->loops()) loop->stop();
    }
    background_.wait(deadline);
  }

 private:
  Task<Result<bool>> attempt(const Context& context) {
    if (service_ && !ready_) CO_CHECK(co_await service_->prepare(context));
    if (service_ && !std::exchange(running_, true)) {
      for (auto* loop : service_->loops()) background_.spawn(process_.threads().next(), loop->run());
    }
    ready_ = true;
    log(Severity::info, "start", "ready");
    if (auto* consul = process_.consul()) {
      if (auto announced = co_await consul->announce(soon(context)); !announced) {
        log(Severity::warning, "start", "not registered yet", {{"detail", announced.error().detail}});
      }
    }
    co_return false;
  }

  void process_background() {
    if (service_) in_background("health", milliseconds(2000), [this](const Context& context) { return look_at_health(context); });
    if (process_.tls()) in_background("TLS files", milliseconds(500), [this](const Context&) { return look_at_certificates(); });
    if (!process_.consul()) return;
    for (auto& work : process_.consul()->background()) ask_consul(std::move(work.name), milliseconds(2000), std::move(work.step));
    ask_consul("consul registration", milliseconds(1000), [this](const Context& context) { return ready_ ? register_again(context) : not_yet(); });
  }

  void in_background(std::string name, milliseconds period, Loop::Step step, bool quiet = false) {
    auto& loop = loops_.emplace_back(std::make_unique<Loop>(
        process_.clock(), LoopOptions{.name = std::move(name), .period = period, .backoff_max = milliseconds(1000), .quiet = quiet}, std::move(step)));
    background_.spawn(process_.threads().first(), loop->run());
  }

  // All of them ask one agent: when it is away the log need not hear of it from each.
  void ask_consul(std::string name, milliseconds period, std::function<Task<Result<bool>>(const Context&)> step) {
    in_background(name, period, [this, name, step = std::move(step)](const Context& context) { return noted(context, name, step); }, true);
  }

  Task<Result<bool>> noted(const Context& context, const std::string& name, const std::function<Task<Result<bool>>(const Context&)>& step) {
    auto outcome = co_await step(context);
    if (ending_) co_return outcome;
    const std::lock_guard lock(unanswered_mutex_);
    if (outcome) {
      if (unanswered_.erase(name) > 0 && unanswered_.empty()) log(Severity::info, "consul", "works again");
    } else if (unanswered_.insert(name).second && unanswered_.size() == 1) {
      log(Severity::warning, "consul", outcome.error().message, {{"asked", name}, {"detail", outcome.error().detail}});
    }
    co_return outcome;
  }

  Context soon(Context context) {
    context.deadline = std::min(context.deadline, process_.clock().now() + consul_limit);
    return context;
  }

  Task<Result<bool>> register_again(Context context) {
    context = soon(std::move(context));
    co_return co_await process_.consul()->stay_registered(context, [this](const Context& given) { return well(given); });
  }

  // For the log, whether or not anybody asks /health; at the start, too, when what is needed says nothing at all.
  Task<Result<bool>> look_at_health(Context context) {
    (void)co_await service_->health().well(context);
    co_return false;
  }

  Task<Result<bool>> look_at_certificates() {
    CO_TRY(const bool changed, process_.tls()->reload());
    if (changed) log(Severity::info, "TLS files", "new handshakes use the new certificate");
    co_return false;
  }

  Task<bool> well(Context context) { co_return !service_ || co_await service_->health().well(context); }

  static Task<Result<bool>> not_yet() { co_return false; }

  Process& process_;
  Service* service_;
  std::atomic<bool> ready_{false}, ending_{false};
  bool running_ = false;
  std::mutex unanswered_mutex_;
  std::set<std::string> unanswered_;  // what Consul does not answer
  std::vector<std::unique_ptr<Loop>> loops_;
  TaskGroup background_;
};

// Its port is for everybody, as the gateway's is; or for services, and then what watches it may have one of its own.
struct Door {
  bool outside = false;
  std::string_view slashes_below;  // the head gate's
  std::optional<Callers> by_certificate;
  Application* watching = nullptr;
};

// Nobody can make the log longer than a line a second by knocking.
auto note_strangers(Process& process) {
  auto& strangers = process.metrics().counter("tls_strangers_total", "Connections without TLS, or without a certificate to believe.");
  return [&strangers, next = std::make_shared<std::atomic<Monotonic>>(), &clock = process.clock()](std::string_view remote, std::string_view reason) {
    strangers.Increment();
    const auto now = clock.now();
    if (auto due = next->load(); now < due || !next->compare_exchange_strong(due, now + seconds(1))) return;
    log(Severity::warning, "TLS", "a connection was refused", {{"remote", remote}, {"detail", reason}});
  };
}

void serve(const CommonSettings& settings, Process& process, Starter& starter, Application& application, Health& health, Door door) {
  Edge edge(application, process.clock(), process.random(), process.metrics(),
            {.internal_token = settings.internal_token, .by_certificate = std::move(door.by_certificate), .keep_forwarded = !door.outside});
  if (auto* consul = process.consul()) {
    Context context;
    context.deadline = std::chrono::steady_clock::now() + clean_up_limit;
    const auto killed = run_blocking(process.threads().first(), consul->deregister(context));  // nothing: Consul is away, nobody hears of anything
    if (killed.value_or(false)) starter.begin_unheard(net::farewell);
  }
  net::ServerOptions options{.address = settings.bind, .port = settings.port};
  options.slashes_below = door.slashes_below;
  options.on_refused = [&edge](std::string_view reason) { return edge.refused(reason); };
  std::unique_ptr<Edge> watching_edge;
  std::unique_ptr<net::Server> watching;
  if (door.watching && settings.health_port != 0) {
    watching_edge = std::make_unique<Edge>(*door.watching, process.clock(), process.random(), process.metrics(), EdgeOptions{});
    auto plain = options;
    plain.port = settings.health_port;
    watching = std::make_unique<net::Server>(process.threads(), plain, *watching_edge);
  }
  if (process.tls() && !door.outside) {
    options.tls = process.tls();
    options.on_stranger = note_strangers(process);
  }
  net::Server server(process.threads(), options, edge);
  starter.begin();
  log(Severity::info, "start", "listening", {{"port", server.port()}});

  sigset_t signals;
  block_signals(signals);
  int received = 0;
  sigwait(&signals, &received);
  const auto deadline = std::chrono::steady_clock::now() + seconds(settings.grace_seconds);
  health.set_ready(false);
  if (auto* consul = process.consul()) {
    Context context;
    context.deadline = std::min(deadline, std::chrono::steady_clock::now() + seconds(1));
    (void)run_blocking(process.threads().first(), consul->withdraw(context));
  }
  server.drain(deadline, process.consul() || server.connections() > 0 ? net::farewell : milliseconds(0));
  if (watching) watching->drain(deadline);
  starter.end(std::max(deadline, std::chrono::steady_clock::now() + seconds(1)));
  process.stop();  // nothing runs any more when the service's parts go
}

std::optional<Callers> callers_of(const ServiceProgram& program, const CommonSettings& settings) {
  if (!settings.tls.given()) return std::nullopt;
  if (!settings.consul_host.empty() && settings.health_port == 0) {
    throw std::runtime_error("HEALTH_PORT is missing: with TLS, Consul has no certificate and asks for /health at a plain port.");
  }
  Callers callers{.services = names_in(settings.tls_allow.empty() ? joined(program.callers) : settings.tls_allow),
                  .operators = {"shopctl"}};
  callers.operators.insert(program.operators.begin(), program.operators.end());
  return callers;
}

template <class Run>
int guarded(int argc, char** argv, const ServiceProgram& program, Run run) {
  CommonSettings settings;
  settings.port = program.port;
  CLI::App app{fmt::format("{}: {}", program.name, program.description), program.name};
  app.set_version_flag("--version", program.name + " " SHOP_VERSION);
  declare(app, settings, program);
  if (const int code = parse_settings(app, argc, argv); code >= 0) return code;

  sigset_t signals;
  block_signals(signals);  // every thread made later inherits the mask; the main thread waits for them
  signal(SIGPIPE, SIG_IGN);
  mallopt(M_ARENA_MAX, 2);
  start_log(settings.service_name.empty() ? program.name : settings.service_name,
            settings.pod_hostname.empty() ? host_name() : settings.pod_hostname, settings.log_level);
  int code = 0;
  try {
    if (settings.tls.given()) {
      settings.internal_token.clear();  // the certificate says it all
    } else if (settings.internal_token.size() < 16) {
      throw std::runtime_error("INTERNAL_TOKEN is missing or shorter than 16 characters: services know each other by it, or by TLS_CERT_FILE.");
    }
    run(settings);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", program.name, error.what());
    code = 1;
  }
  stop_log();
  return code;
}

}  // namespace

int run_service(int argc, char** argv, const ServiceProgram& program) {
  return guarded(argc, argv, program, [&](const CommonSettings& settings) {
    auto by_certificate = callers_of(program, settings);
    Process process(program, settings);
    const auto service = program.make(process);
    Starter starter(process, service.get());
    service->router().set_most_of_a_row(most_of_a_row);
    ServiceApplication application(service->router(), process.metrics(), starter.ready());
    WatchApplication watching(application);
    serve(settings, process, starter, application, service->health(),
          {.slashes_below = program.slashes_below, .by_certificate = std::move(by_certificate), .watching = &watching});
  });
}

int run_gateway(int argc, char** argv) {
  ServiceProgram program{.name = std::string(gateway_name), .port = 3000, .description = "the one door of the platform"};
  for (const auto& prefix : gateway::prefixes) program.peers.emplace_back(prefix.service);
  program.settings = {{"--cors-allow-origin", "CORS_ALLOW_ORIGIN", "Origins that browsers may call from", "*", format::origins()},
                      {"--metrics-allow", "METRICS_ALLOW", "Addresses that may read /metrics; empty: every one", "", format::ip_addresses()}};
  return guarded(argc, argv, program, [&](const CommonSettings& settings) {
    Process process(program, settings);
    Health health(program.name, process.clock());
    std::map<std::string, std::unique_ptr<gateway::Backend>, std::less<>> backends;
    for (const auto& prefix : gateway::prefixes) {
      const std::string service(prefix.service);
      backends.emplace(service, std::make_unique<gateway::RemoteBackend>(service, CallerIdentity{program.name, settings.internal_token},
                                                                         process.balancer(), process.pool(), process.clock(), process.random()));
    }
    gateway::Gateway gateway({.origins = entries_of(settings.own.at("CORS_ALLOW_ORIGIN")), .metrics_addresses = entries_of(settings.own.at("METRICS_ALLOW"))},
                             health, process.metrics(), std::move(backends), gateway::merged_openapi(process.caller(), process.clock()));
    Starter starter(process, nullptr);
    serve(settings, process, starter, gateway, health, {.outside = true, .slashes_below = gateway::slashes_below});
  });
}

}  // namespace shop

#include "simulation/world.hpp"

#include <stdexcept>

#include "adapters/memory_kv/memory_kv.hpp"
#include "adapters/simulated/password_hasher.hpp"
#include "adapters/sql_kv/sql_kv.hpp"
#include "adapters/sql_log/sql_log.hpp"
#include "adapters/sqlite/database.hpp"
#include "runtime/authenticator.hpp"
#include "services/auth/module.hpp"
#include "services/cart/module.hpp"
#include "services/order/module.hpp"
#include "services/product/module.hpp"
#include "services/search/module.hpp"

namespace shop::simulation {
namespace {

using simulated::Dice;
using simulated::Disk;

Metrics& shared_metrics() {
  static Metrics metrics("simulation", "one");  // nobody scrapes it: one for every world
  return metrics;
}

Task<> send_once(EventLog& log, std::vector<EventRecord> events) { (void)co_await log.publish(Context{}, std::move(events)); }

Task<> keep(Task<Result<Response>> asking, std::optional<Result<Response>>& out) { out = co_await std::move(asking); }

class HostCaller final : public ServiceCaller {
 public:
  HostCaller(World& world, HostId from, net::Arrival self, std::function<CallFault()> fault)
      : world_(world), from_(from), self_(std::move(self)), fault_(std::move(fault)) {}

  Task<Result<Response>> call(const Context& context, std::string_view service, Request request) override {
    const auto planned = fault_();
    if (planned == CallFault::fails) co_return fail(Code::unavailable, "No healthy instance is known.");
    if (planned == CallFault::times_out) co_return fail(Code::timed_out, "The answer did not come in time.");
    auto answer = co_await world_.ask_as(self_, from_, context, std::string(service), std::move(request), true);
    if (planned == CallFault::unanswered) co_return fail(Code::unknown_outcome, "The connection broke before the answer was complete.");
    co_return answer;
  }

 private:
  World& world_;
  const HostId from_;
  const net::Arrival self_;
  const std::function<CallFault()> fault_;
};

// A store whose changes are meddled with, and nothing else.
class MeddledKeyValue : public KeyValueStore {
 public:
  explicit MeddledKeyValue(KeyValueStore& store) : store_(store) {}

  Task<Result<std::vector<std::optional<std::string>>>> get(const Context& context, std::vector<std::string> keys, seconds refresh) override {
    return store_.get(context, std::move(keys), refresh);
  }
  Task<Result<std::int64_t>> increment(const Context& context, std::string key, seconds ttl) override {
    return store_.increment(context, std::move(key), ttl);
  }
  Task<Result<void>> ping(const Context& context) override { return store_.ping(context); }

 protected:
  KeyValueStore& store_;
};

// A planted fault: what stands in the store is written over, whatever it is.
class UncheckedCarts final : public MeddledKeyValue {
 public:
  using MeddledKeyValue::MeddledKeyValue;

  Task<Result<bool>> swap(const Context& context, std::vector<Change> changes) override {
    std::vector<std::string> keys;
    for (const auto& change : changes) keys.push_back(change.key);
    CO_TRY(const auto present, co_await store_.get(context, std::move(keys)));
    for (std::size_t i = 0; i < changes.size(); ++i) changes[i].expected = present[i];
    co_return co_await store_.swap(context, std::move(changes));
  }
};

// The store of what nothing depends on is away now and then.
class UnreliableAdvice final : public MeddledKeyValue {
 public:
  UnreliableAdvice(KeyValueStore& store, simulated::Simulation& simulation, const unsigned& lost)
      : MeddledKeyValue(store), simulation_(simulation), lost_(lost) {}

  Task<Result<bool>> swap(const Context& context, std::vector<Change> changes) override {
    if (simulation_.dice().chance(lost_)) {
      simulation_.struck("advice lost");
      co_return fail(Code::unavailable, "The key-value store is away.");
    }
    co_return co_await store_.swap(context, std::move(changes));
  }

 private:
  simulated::Simulation& simulation_;
  const unsigned& lost_;
};

}  // namespace

// A program on a machine.
struct World::Process {
  Process(World& world, Machine& machine, std::string name, bool durable = true);
  virtual ~Process() = default;
  virtual net::Router* router() { return nullptr; }
  virtual std::vector<Loop*> loops() { return {}; }
  virtual EventLog* events() { return nullptr; }
  virtual void abandon() {}  // whoever waits in it belongs to a loop that ends
  virtual Task<Result<void>> prepare(const Context& context) = 0;

  const std::string name;
  simulated::SimulatedClock clock;
  Dice random;
  const std::unique_ptr<Database> store;  // the file as it is
  bool ready = false;
};

struct World::Machine {
  Machine(World& owner, std::string given, std::vector<std::string> hosted)
      : world(owner), name(std::move(given)), names(std::move(hosted)), host(owner.simulation_.add_host(name)), disk(owner.simulation_.dice().split()) {}

  World& world;
  const std::string name;
  const std::vector<std::string> names;  // of the programs
  const HostId host;
  Disk disk;
  std::vector<std::unique_ptr<Process>> processes;  // none: it is down
  bool lost_power = false;
};

World::Process::Process(World& world, Machine& machine, std::string given, bool durable)
    : name(std::move(given)),
      clock(world.simulation_, machine.host),
      random(world.simulation_.dice().split()),
      store(sqlite::open({.path = name, .durable = durable, .threads = false, .vfs = machine.disk.vfs(), .checkpoint_pages = 16}, clock)) {}

struct World::Broker final : Process {
  Broker(World& world, Machine& machine) : Process(world, machine, "events"), log(*store, clock), broker(world.broker_) {
    broker.host = machine.host;
    broker.log = &log;
  }
  ~Broker() override {
    broker.readers.clear();
    broker.log = nullptr;
  }
  Task<Result<void>> prepare(const Context& context) override { return log.prepare(context); }

  SqlEventLog log;
  simulated::Broker& broker;
};

// What a service is given.
struct Surroundings {
  template <class W, class M, class P>
  Surroundings(W& world, M& machine, P& process, simulated::Simulation& simulation, simulated::Meddler& meddler, simulated::Broker& broker)
      : database(simulation, machine.host, process.name, *process.store, world.weather.database, meddler, [&world](auto port) { return world.planned(port); }),
        events(simulation, world.network(), machine.host, broker, world.weather.events, [&world](auto port) { return world.planned(port); }),
        caller(world, machine.host, {process.name + "-service"}, [&world] { return world.planned("peer"); }),
        limits(process.clock),
        authenticator(caller, process.clock) {}

  simulated::FaultyDatabase database;
  simulated::RemoteEventLog events;
  HostCaller caller;
  MemoryKeyValue limits;
  TokenAuthenticator authenticator;
};

struct World::Auth final : Process {
  Auth(World& world, Machine& machine)
      : Process(world, machine, "auth"),
        around(world, machine, *this, world.simulation_, world.meddler_, world.broker_),
        module({clock, random, around.events, around.caller, around.authenticator, world.metrics_}, {}, around.database, around.limits, hasher) {}
  net::Router* router() override { return &module.router(); }
  std::vector<Loop*> loops() override { return module.loops(); }
  EventLog* events() override { return &around.events; }
  Task<Result<void>> prepare(const Context& context) override { return module.prepare(context); }

  Surroundings around;
  simulated::PlainHasher hasher;
  auth::AuthModule module;
};

struct World::Product final : Process {
  Product(World& world, Machine& machine)
      : Process(world, machine, "product"),
        around(world, machine, *this, world.simulation_, world.meddler_, world.broker_),
        module({clock, random, around.events, around.caller, around.authenticator, world.metrics_},
               {.catalogue = {}, .stock = {world.options_.reservation_lifetime}}, around.database) {}
  net::Router* router() override { return &module.router(); }
  std::vector<Loop*> loops() override { return module.loops(); }
  EventLog* events() override { return &around.events; }
  void abandon() override { module.abandon(); }
  Task<Result<void>> prepare(const Context& context) override { return module.prepare(context); }

  Surroundings around;
  product::ProductModule module;
};

struct World::Order final : Process {
  Order(World& world, Machine& machine)
      : Process(world, machine, "order"),
        around(world, machine, *this, world.simulation_, world.meddler_, world.broker_),
        advice(around.limits, world.simulation_, world.weather.advice_lost),
        module({clock, random, around.events, around.caller, around.authenticator, world.metrics_}, {}, around.database, advice) {}
  net::Router* router() override { return &module.router(); }
  std::vector<Loop*> loops() override { return module.loops(); }
  EventLog* events() override { return &around.events; }
  void abandon() override { module.abandon(); }
  Task<Result<void>> prepare(const Context& context) override { return module.prepare(context); }

  Surroundings around;
  UnreliableAdvice advice;
  order::OrderModule module;
};

struct World::Cart final : Process {
  Cart(World& world, Machine& machine)
      : Process(world, machine, "cart", false),
        around(world, machine, *this, world.simulation_, world.meddler_, world.broker_),
        carts(around.database, clock),
        unchecked(carts),
        module({clock, random, around.events, around.caller, around.authenticator, world.metrics_}, {},
               world.options_.carts_unchecked ? static_cast<KeyValueStore&>(unchecked) : carts) {}
  net::Router* router() override { return &module.router(); }
  void abandon() override { module.abandon(); }
  Task<Result<void>> prepare(const Context& context) override {
    CO_CHECK(co_await carts.prepare(context));
    co_return co_await module.prepare(context);
  }

  Surroundings around;
  SqlKeyValue carts;
  UncheckedCarts unchecked;
  cart::CartModule module;
};

struct World::Search final : Process {
  Search(World& world, Machine& machine)
      : Process(world, machine, "search"),
        around(world, machine, *this, world.simulation_, world.meddler_, world.broker_),
        index(world.simulation_, machine.host, world.engine_, world.weather.index, [&world](auto port) { return world.planned(port); },
              world.options_.index_forgets),
        module({clock, random, around.events, around.caller, around.authenticator, world.metrics_}, index) {}
  net::Router* router() override { return &module.router(); }
  std::vector<Loop*> loops() override { return module.loops(); }
  Task<Result<void>> prepare(const Context& context) override { return module.prepare(context); }

  Surroundings around;
  FaultyIndex index;
  search::SearchModule module;
};

World::World(const Options& options, simulated::Meddler& meddler, const Beginning* from)
    : weather(calm()),
      options_(options),
      simulation_(options.seed),
      network_(simulation_),
      meddler_(meddler),
      metrics_(shared_metrics()),
      clients_(simulation_.add_host("clients")),
      client_clock_(simulation_, clients_) {
  const std::vector<std::string> names{"events", "auth", "product", "order", "cart", "search"};
  if (from) engine_ = from->engine;
  if (options.one_machine) {
    machines_.push_back(std::make_unique<Machine>(*this, "shop", names));
  } else {
    for (const auto& name : names) machines_.push_back(std::make_unique<Machine>(*this, name, std::vector<std::string>{name}));
  }
  for (auto& machine : machines_) {
    Disk::Content content;
    for (const auto& name : machine->names) {
      if (from) content.merge(Disk::Content(from->disks.at(name)));
    }
    machine->disk.put(std::move(content));
    open(*machine);
  }
  client_events_ = std::make_unique<simulated::RemoteEventLog>(simulation_, network_, clients_, broker_, weather.events,
                                                               [](std::string_view) { return CallFault::none; });
}

World::~World() {
  network_.forget(clients_);
  simulation_.forget(clients_);
  simulation_.destroy(clients_);
  for (std::size_t i = 0; i < machines_.size(); ++i) {
    if (up(i)) crash(i, Disk::Failure::process);
  }
}

void World::open(Machine& machine) {
  for (const auto& name : machine.names) {
    if (name == "events") machine.processes.push_back(std::make_unique<Broker>(*this, machine));
    if (name == "auth") machine.processes.push_back(std::make_unique<Auth>(*this, machine));
    if (name == "product") machine.processes.push_back(std::make_unique<Product>(*this, machine));
    if (name == "order") machine.processes.push_back(std::make_unique<Order>(*this, machine));
    if (name == "cart") machine.processes.push_back(std::make_unique<Cart>(*this, machine));
    if (name == "search") machine.processes.push_back(std::make_unique<Search>(*this, machine));
  }
  for (auto& process : machine.processes) simulation_.spawn(machine.host, run(*process));
}

Task<> World::run(Process& process) {
  for (;;) {
    Context context;
    context.deadline = simulation_.now() + seconds(30);
    const auto prepared = co_await process.prepare(context);
    if (prepared) break;
    co_await process.clock.sleep(milliseconds(200));
  }
  process.ready = true;
  for (auto* loop : process.loops()) boost::asio::co_spawn(co_await boost::asio::this_coro::executor, loop->run(), [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

std::unique_ptr<ServiceCaller> World::operator_on(HostId host, std::function<CallFault()> fault) {
  return std::make_unique<HostCaller>(*this, host, net::Arrival{"shopctl", true}, std::move(fault));
}

Response World::ask_now(std::string service, Request request) {
  std::optional<Result<Response>> answer;
  Context context;
  context.deadline = simulation_.now() + seconds(30);
  simulation_.spawn(clients_, keep(ask_as({"shopctl", true}, clients_, context, service, std::move(request), false), answer));
  while (!answer && simulation_.step()) {}
  if (!answer || !*answer) throw std::runtime_error(service + " does not answer in fine weather");
  return std::move(**answer);
}

Task<Result<Response>> World::ask(Context context, std::string service, Request request) {
  return ask_as({}, clients_, std::move(context), std::move(service), std::move(request), false);
}

Task<Result<Response>> World::ask_as(net::Arrival arrival, HostId from, Context context, std::string service, Request request, bool repeatable) {
  HostId to = simulated::nobody;
  for (const auto& machine : machines_) {
    for (const auto& name : machine->names) {
      if (name + "-service" == service) to = machine->host;
    }
  }
  co_return co_await network_.call<Response>(from, to, std::move(context),
                                             [this, service, arrival, request](const Context& there) { return serve(service, arrival, there, request); },
                                             repeatable);
}

Task<Result<Response>> World::serve(std::string service, net::Arrival arrival, const Context& context, Request request) {
  for (const auto& machine : machines_) {
    for (const auto& process : machine->processes) {
      if (process->name + "-service" != service) continue;
      if (!process->ready) co_return net::problem_response(Error{Code::unavailable, "Starting.", {}, {}, {}, {}}, context.request_id);
      net::WholeBody body;
      net::Answered answered;
      co_return co_await process->router()->answer(context, arrival, request, body, answered);
    }
  }
  co_return fail(Code::unavailable, "The service does not run.");
}

void World::send_from(const std::string& store, std::vector<EventRecord> events) {
  for (const auto& machine : machines_) {
    for (const auto& process : machine->processes) {
      if (process->name != store || !process->events()) continue;
      simulation_.spawn(machine->host, send_once(*process->events(), std::move(events)));
      return;
    }
  }
}

void World::crash(std::size_t index, Disk::Failure failure) {
  auto& machine = *machines_[index];
  if (failure == Disk::Failure::power) {
    machine.lost_power = true;
    if (options_.one_machine) engine_.damage();  // otherwise the engine has a machine of its own
  }
  machine.disk.crash(failure);
  end(machine);
  machine.disk.recover();
}

void World::end(Machine& machine) {
  network_.forget(machine.host);
  simulation_.forget(machine.host);
  for (auto& process : machine.processes) process->abandon();
  simulation_.destroy(machine.host);
  while (!machine.processes.empty()) machine.processes.pop_back();
}

void World::restart(std::size_t index) {
  simulation_.start(machines_[index]->host);
  open(*machines_[index]);
}

bool World::up(std::size_t index) const { return simulation_.up(machines_[index]->host); }
Disk& World::disk(std::size_t index) { return machines_[index]->disk; }
HostId World::host(std::size_t index) const { return machines_[index]->host; }
bool World::lost_power(std::size_t index) const { return machines_[index]->lost_power; }

std::size_t World::machine_of(const std::string& service) const {
  const auto at = std::ranges::find_if(machines_, [&](const auto& machine) { return std::ranges::find(machine->names, service) != machine->names.end(); });
  if (at == machines_.end()) throw std::logic_error("no machine has " + service);
  return static_cast<std::size_t>(at - machines_.begin());
}

bool World::ready() const {
  return std::ranges::all_of(machines_, [](const auto& machine) {
    return !machine->processes.empty() && std::ranges::all_of(machine->processes, [](const auto& process) { return process->ready; });
  });
}

Rows World::rows(const std::string& store, std::string_view sql, Params params) {
  static boost::asio::io_context loop;
  const Context context;
  for (const auto& machine : machines_) {
    for (const auto& process : machine->processes) {
      if (process->name != store) continue;
      std::optional<Rows> found;
      const auto look = [&](Transaction& tx) -> Task<Result<void>> {
        CO_TRY(found, co_await tx.run(Query{"look", sql}, params));
        co_return Result<void>();
      };
      Result<void> outcome;
      boost::asio::co_spawn(loop, process->store->run(context, Access::read, [&](Transaction& tx) { return look(tx); }),
                            [&](std::exception_ptr, Result<void> result) { outcome = std::move(result); });
      loop.restart();
      loop.run();
      if (!found) throw std::logic_error(std::string(sql) + ": " + outcome.error().message + " " + outcome.error().detail);
      return std::move(*found);
    }
  }
  throw std::logic_error("no store " + store);
}

std::map<std::string, Disk::Content> World::close() {
  std::map<std::string, Disk::Content> disks;
  for (auto& machine : machines_) {
    end(*machine);
    for (auto& [name, bytes] : machine->disk.content()) disks[machine->names.front()].emplace(name, bytes);
  }
  return disks;
}

}  // namespace shop::simulation

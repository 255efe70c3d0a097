// The whole shop in one thread: the real services on the real SQLite, in a world whose clock, network, disks and chance belong to
// a seed. Either every service on a machine of its own, as in the distributed mode, or all on one, as in `shop`.
#pragma once

#include "adapters/simulated/database.hpp"
#include "adapters/simulated/disk.hpp"
#include "adapters/simulated/event_log.hpp"
#include "adapters/simulated/network.hpp"
#include "base/http.hpp"
#include "net/router.hpp"
#include "observe/metrics.hpp"
#include "services/product/service.hpp"
#include "simulation/engine.hpp"

namespace shop::simulation {

using simulated::HostId;

struct Weather {
  simulated::NetworkWeather network;
  simulated::DatabaseWeather database;
  simulated::EventWeather events;
  IndexWeather index;
  unsigned flush_failures = 0;   // per mille
  unsigned advice_lost = 0;      // per mille: requests under one key do not hear of each other
  int crashes = 0, full_disks = 0, clock_jumps = 0, lost_indexes = 0;  // in the whole run
  bool power = false;            // crashes lose what was not flushed
};
Weather calm();
Weather drawn(simulated::Dice& dice);

// What every world begins with, made once: schema, accounts, a small catalogue. Ids are the same in every world.
struct Beginning {
  std::map<std::string, simulated::Disk::Content> disks;  // by store
  Engine engine;
  std::string admin_email = "admin@example.com", password = "correct horse battery";
  struct Item {
    ProductId product;
    VariantId variant;
    std::int64_t price_minor = 0, stock = 0;
  };
  std::vector<Item> items;
  std::vector<std::pair<std::string, std::string>> customers;  // e-mail, id
};
const Beginning& beginning();

struct Options {
  std::uint64_t seed = 1;
  bool one_machine = false;
  milliseconds reservation_lifetime{2000};
  bool carts_unchecked = false, index_forgets = false;  // planted faults
};

class World {
 public:
  World(const Options& options, simulated::Meddler& meddler, const Beginning* from);
  ~World();

  Weather weather;
  std::function<CallFault(std::string_view port)> planned = [](std::string_view) { return CallFault::none; };

  simulated::Simulation& simulation() { return simulation_; }
  simulated::Network& network() { return network_; }
  HostId clients() const { return clients_; }
  Clock& clock() { return client_clock_; }
  EventLog& client_events() { return *client_events_; }  // a service of which only its events exist here

  // A client's request; what it sees when there is no answer is an Error.
  Task<Result<Response>> ask(Context context, std::string service, Request request);
  Task<Result<Response>> ask_as(net::Arrival arrival, HostId from, Context context, std::string service, Request request, bool repeatable);

  // As an operator on that host.
  std::unique_ptr<ServiceCaller> operator_on(HostId host, std::function<CallFault()> fault);

  // As an operator, at once: time passes until there is an answer. In fine weather only.
  Response ask_now(std::string service, Request request);

  // Once, from the host of that service, without an outbox: what a faulty shop does.
  void send_from(const std::string& store, std::vector<EventRecord> events);

  std::size_t machines() const { return machines_.size(); }
  void crash(std::size_t machine, simulated::Disk::Failure failure);
  void restart(std::size_t machine);
  bool up(std::size_t machine) const;
  simulated::Disk& disk(std::size_t machine);
  HostId host(std::size_t machine) const;
  bool ready() const;  // every service is up and prepared
  std::size_t machine_of(const std::string& service) const;
  bool lost_power(std::size_t machine) const;  // ever
  Engine& engine() { return engine_; }

  // Reads a store as it is, past every simulated fault.
  Rows rows(const std::string& store, std::string_view sql, Params params = {});

  // Stops everything cleanly and takes the disks' content.
  std::map<std::string, simulated::Disk::Content> close();

 private:
  struct Machine;
  struct Process;
  struct Broker;
  struct Auth;
  struct Product;
  struct Order;
  struct Cart;
  struct Search;

  void open(Machine& machine);
  void end(Machine& machine);
  Task<> run(Process& process);
  Task<Result<Response>> serve(std::string service, net::Arrival arrival, const Context& context, Request request);

  const Options options_;
  simulated::Simulation simulation_;
  simulated::Network network_;
  simulated::Meddler& meddler_;
  Metrics& metrics_;
  HostId clients_;
  simulated::SimulatedClock client_clock_;
  simulated::Broker broker_;
  Engine engine_;
  std::unique_ptr<EventLog> client_events_;
  std::vector<std::unique_ptr<Machine>> machines_;
};

}  // namespace shop::simulation

// A real store behind bad weather: it is slow, refuses, rolls back, commits without an answer, asks for the work once more.
// Whoever watches is told of every statement and of every transaction that became durable.
#pragma once

#include "adapters/simulated/simulation.hpp"
#include "ports/database.hpp"

namespace shop::simulated {

// Per mille of transactions.
struct DatabaseWeather {
  unsigned refused = 0;      // before anything was done
  unsigned rolled_back = 0;  // everything was done, and nothing was kept
  unsigned unanswered = 0;   // committed, and the answer was lost: unknown_outcome
  unsigned restarted = 0;    // the store runs the work a second time, as after a deadlock
  unsigned slow = 0;
  milliseconds usual_most{2};
  milliseconds slow_most{3000};
};

enum class Ending { committed, rolled_back, unknown };  // unknown: a flush failed; it may be found committed, later or never

// Stands between a service and its store. Tests plant faults here, and look on.
class Meddler {
 public:
  virtual ~Meddler() = default;
  virtual void begun(std::uint64_t transaction, std::string_view store) = 0;  // may still wait before it runs
  virtual Task<Result<Rows>> run(std::uint64_t transaction, Transaction& tx, const Query& query, Params params) = 0;
  virtual Task<Result<std::vector<Rows>>> run_each(std::uint64_t transaction, Transaction& tx, const Query& query, std::vector<Params> sets) = 0;
  virtual void restarted(std::uint64_t transaction) = 0;                 // what was said of its statements is void
  virtual void ended(std::uint64_t transaction, Ending ending) = 0;      // as far as the store is concerned
  virtual void released(std::uint64_t transaction) = 0;                  // nothing is locked any more
};

// The failure loop: fails one call through a port, the n-th.
enum class CallFault { none, fails, times_out, unanswered };

class FaultyDatabase final : public Database {
 public:
  FaultyDatabase(Simulation& simulation, HostId host, std::string name, Database& store, const DatabaseWeather& weather, Meddler& meddler,
                 std::function<CallFault(std::string_view)> planned)
      : simulation_(simulation), clock_(simulation, host), name_(std::move(name)), store_(store), weather_(weather), meddler_(meddler),
        planned_(std::move(planned)) {}

  Task<Result<void>> run(const Context& context, Access access, Work work) override;
  Task<Result<void>> ping(const Context& context) override { return store_.ping(context); }

 private:
  class Watched;
  Task<Result<void>> attempt(Transaction& inner, Work& work, std::uint64_t id, bool rolls_back, bool unanswered);
  bool strikes(unsigned per_mille, std::string_view kind);
  milliseconds delay();

  Simulation& simulation_;
  SimulatedClock clock_;
  const std::string name_;
  Database& store_;
  const DatabaseWeather& weather_;
  Meddler& meddler_;
  const std::function<CallFault(std::string_view)> planned_;
};

}  // namespace shop::simulated

// Stands between the services and their stores: notes what they do, in which order they lock rows, and plants the faults by which
// the simulation itself is judged. Production code knows nothing of it.
#pragma once

#include <set>
#include <unordered_map>
#include <unordered_set>

#include "simulation/world.hpp"

namespace shop::simulation {

// What shops did wrong. Each must be found.
enum class Bug {
  none,
  no_key,             // an idempotency key is claimed and not remembered
  locks_unordered,    // the lines of an order are taken in the order in which the customer wrote them
  event_after_commit, // the event is sent when the transaction has committed, not written in it
  no_expiry,          // nobody looks for reservations that nobody confirms
  absolute_stock,     // the stock is read, and later written as a number
  no_inbox,           // a consumer does again what it is told again
  key_passed,         // a request does not look whether its key has passed to another order meanwhile
  carts_unchecked,    // a cart is read, changed, and written over whatever stands there by then
  index_forgets,      // what the search engine refused is taken for written
};
BOOST_DESCRIBE_ENUM(Bug, none, no_key, locks_unordered, event_after_commit, no_expiry, absolute_stock, no_inbox, key_passed, carts_unchecked, index_forgets)

// One step of an order's life, in the names of tests/model/order.pml: what a transaction did, or why it refused to.
struct Step {
  std::string order, action, answer;
  std::string key = {};  // of a CLAIM, and of a COMMIT under a key: whose, and which
  bool unsure = false;   // the commit's outcome is not known
};

class Witness final : public simulated::Meddler {
 public:
  explicit Witness(Bug bug) : bug_(bug) {}
  void attach(World& world) { world_ = &world; }

  void begun(std::uint64_t id, std::string_view store) override;
  Task<Result<Rows>> run(std::uint64_t id, Transaction& tx, const Query& query, Params params) override;
  Task<Result<std::vector<Rows>>> run_each(std::uint64_t id, Transaction& tx, const Query& query, std::vector<Params> sets) override;
  void restarted(std::uint64_t id) override;
  void ended(std::uint64_t id, simulated::Ending ending) override;
  void released(std::uint64_t id) override { open_.erase(id); }

  const std::vector<Step>& steps() const { return steps_; }
  const std::set<std::string>& lock_faults() const { return lock_faults_; }  // pairs of rows locked in both orders
  const std::map<std::string, std::int64_t>& ratings() const { return ratings_; }  // how often a product's was set
  std::int64_t together() const { return together_; }                                 // transactions in which several orders were reserved for, or placed

 private:
  using Row = std::uint64_t;
  struct Statement {  // what it locks: rows of `table` that are found by the parameters at `keys`
    std::uint64_t name = 0;
    std::string table;
    std::vector<std::size_t> keys;
    static Statement of(const Query& query);
  };
  struct Open {
    std::string store;
    std::vector<Row> locks;
    std::vector<Step> steps;
    std::vector<std::string> ratings;
    std::map<std::string, std::int64_t> stock_before;  // as the faulty shop remembers it
    std::vector<EventRecord> events;                   // as the faulty shop will send them
  };

  const Statement& known(const Query& query);
  void note(Open& open, const Query& query, const Statement& statement, const Params& params, const Rows& rows);
  void note_step(Open& open, std::string_view name, const Params& params, const Rows& rows);
  void lock(Open& open, const Statement& statement, const Params& params);
  void check_locks(const Open& open);
  Task<Result<Rows>> faulty(Open& open, Transaction& tx, const Query& query, Params params);

  const Bug bug_;
  World* world_ = nullptr;
  std::unordered_map<std::string_view, Statement> statements_;
  std::map<std::uint64_t, Open> open_;
  std::unordered_set<std::uint64_t> orders_of_locks_;
  std::unordered_map<Row, std::string> row_names_;
  std::set<std::string> lock_faults_;
  std::map<std::string, std::int64_t> ratings_;
  std::vector<Step> steps_;
  std::int64_t together_ = 0;
};

}  // namespace shop::simulation

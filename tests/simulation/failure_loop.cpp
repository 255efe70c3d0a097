// The failure loop, as SQLite's tests do it: the n-th call through a port fails, for every n there is. One fault to a run, so what
// breaks has one cause.
#include <cstdio>

#include <fmt/format.h>

#include "simulation/run.hpp"

namespace shop::simulation {
namespace {

enum class Operation { place, cancel, adjust, create, sweep };
BOOST_DESCRIBE_ENUM(Operation, place, cancel, adjust, create, sweep)

constexpr int most_calls = 1000, most_attempts = 6;
constexpr std::size_t order_machine = 3;
constexpr milliseconds aftermath{400};  // the calls of relays, consumers and sweepers after the answer are counted too

class Trial {
 public:
  Trial(Operation operation, CallFault fault, int nth, Bug bug)
      : operation_(operation), witness_(bug), world_({.seed = 1, .reservation_lifetime = milliseconds(500)}, witness_, &beginning()),
        shoppers_(world_, simulated::Dice(1), 0) {
    witness_.attach(world_);
    world_.planned = [this, fault, nth](std::string_view port) {
      if (!counting_ || ++calls_ != nth) return CallFault::none;
      port_ = port;
      return fault;
    };
  }

  std::vector<std::string> violations() {
    auto& simulation = world_.simulation();
    for (int i = 0; i < 600 && !world_.ready(); ++i) simulation.run_until(simulation.now() + milliseconds(10));
    wait_for(prepare());
    if (operation_ == Operation::sweep) leave_a_reservation();
    counting_ = true;
    if (operation_ == Operation::sweep) definite_ = swept();
    else wait_for(perform());
    simulation.run_until(simulation.now() + aftermath);
    counting_ = false;
    auto out = concluded(world_, shoppers_, witness_);
    if (!definite_) out.push_back("no definite outcome");
    return out;
  }

  bool struck() const { return !port_.empty(); }
  const std::string& port() const { return port_; }

 private:
  void wait_for(Task<> task) {
    auto& simulation = world_.simulation();
    done_ = false;
    simulation.spawn(world_.clients(), finish(std::move(task)));
    const auto limit = simulation.now() + minutes(5);
    while (!done_ && simulation.now() < limit && simulation.step()) {}
    if (!done_) throw std::runtime_error("An operation does not end.");
  }

  Task<> finish(Task<> task) {
    co_await std::move(task);
    done_ = true;
  }

  Task<> prepare() {
    co_await shoppers_.log_in();
    if (operation_ != Operation::cancel) co_return;
    placing_ = &shoppers_.new_placing(true);
    if (!co_await shoppers_.send(*placing_, placing_->body) || placing_->acknowledged.empty()) throw std::runtime_error("There is no order to cancel.");
    co_await world_.clock().sleep(aftermath);
  }

  Task<> perform() {
    if (operation_ == Operation::place) placing_ = &shoppers_.new_placing(true);
    if (operation_ == Operation::adjust) adjusting_ = &shoppers_.new_adjusting();
    for (int i = 0; i < most_attempts && !definite_; ++i) {
      if (i > 0) co_await world_.clock().sleep(milliseconds(50));
      definite_ = co_await attempt();
    }
  }

  // What the client asked for is done: in a world with one fault nothing else is an acceptable end.
  Task<bool> attempt() {
    switch (operation_) {
      case Operation::place: co_return co_await shoppers_.send(*placing_, placing_->body) && !placing_->acknowledged.empty();
      case Operation::cancel:
        (void)co_await shoppers_.cancel(placing_->acknowledged.front().order, placing_->guest_token, {});
        co_return !shoppers_.ledger().told.empty();
      case Operation::adjust: co_return co_await shoppers_.send(*adjusting_) && adjusting_->acknowledged > 0;
      case Operation::create: co_return co_await shoppers_.create_product("LOOP-1", true) && shoppers_.ledger().created_skus.contains("LOOP-1");
      case Operation::sweep: break;
    }
    co_return false;
  }

  std::int64_t held() { return std::get<std::int64_t>(world_.rows("product", "SELECT count(*) FROM reservations WHERE status = 'HELD'").row(0)[0]); }

  // The order service dies between the reservation and the order.
  void leave_a_reservation() {
    auto& placing = shoppers_.new_placing(false);
    auto& simulation = world_.simulation();
    simulation.spawn(world_.clients(), abandoned(placing));
    for (int i = 0; i < 100'000 && held() == 0 && simulation.step(); ++i) {}
    if (held() == 0) throw std::runtime_error("Nothing was reserved.");
    world_.crash(order_machine, simulated::Disk::Failure::process);
    world_.restart(order_machine);
  }

  Task<> abandoned(Placing& placing) { (void)co_await shoppers_.send(placing, placing.body); }

  bool swept() {
    auto& simulation = world_.simulation();
    const auto limit = simulation.now() + seconds(20);
    while (held() > 0 && simulation.now() < limit) simulation.run_until(simulation.now() + milliseconds(50));
    return held() == 0;
  }

  const Operation operation_;
  Witness witness_;
  World world_;
  Shoppers shoppers_;
  Placing* placing_ = nullptr;
  Adjusting* adjusting_ = nullptr;
  bool counting_ = false, done_ = false, definite_ = false;
  int calls_ = 0;
  std::string port_;
};

}  // namespace

bool failure_loop(Bug bug) {
  const std::vector<std::pair<CallFault, std::string_view>> faults{
      {CallFault::fails, "fails"}, {CallFault::times_out, "times out"}, {CallFault::unanswered, "is not answered"}};
  int broken = 0;
  std::string line;
  for (const auto operation : {Operation::place, Operation::cancel, Operation::adjust, Operation::create, Operation::sweep}) {
    int calls = 0;
    for (const auto& [fault, what] : faults) {
      int nth = 0;
      for (bool struck = true; struck;) {
        if (++nth > most_calls) throw std::runtime_error("An operation makes calls without end.");
        Trial trial(operation, fault, nth, bug);
        const auto violations = trial.violations();
        struck = trial.struck();
        if (violations.empty()) continue;
        ++broken;
        if (broken <= 20) fmt::print("{}, call {} ({}) {}: {}\n", codec::enum_text(operation), nth, struck ? trial.port() : "none", what, violations.front());
      }
      calls = std::max(calls, nth - 1);
    }
    if (calls == 0) throw std::runtime_error("An operation makes no calls.");
    line += fmt::format("{} {} calls x {} faults, ", codec::enum_text(operation), calls, faults.size());
  }
  fmt::print("failure loop: {}{} broken\n", line, broken);
  return broken == 0;
}

}  // namespace shop::simulation

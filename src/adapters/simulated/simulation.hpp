// A world in one thread: its time, its chance and its weather come from one seed, so the same seed is the same run.
//
// Time stands still while anything can run and then jumps to the next event. Hosts are processes: each has an event loop of its
// own, and a crash drops everything that its coroutines were about to do. Whoever uses the simulation destroys, in this order,
// what waits for a host (forget()), the host's loop, and only then the objects that ran on it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "base/task.hpp"
#include "base/time.hpp"
#include "ports/clock.hpp"
#include "ports/random.hpp"

namespace shop::simulated {

// Numbers from a seed (splitmix64, Steele, Lea and Flood 2014). Also the Random of simulated services.
class Dice final : public Random {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  Dice(const Dice& other) : Random(), state_(other.state_) {}

  void fill(std::span<std::uint8_t> out) override;
  std::uint64_t next();

  std::uint64_t below(std::uint64_t bound) { return static_cast<std::uint64_t>(static_cast<unsigned __int128>(next()) * bound >> 64); }
  bool chance(unsigned per_mille) { return per_mille > 0 && below(1000) < per_mille; }
  milliseconds between(milliseconds least, milliseconds most);
  Dice split() { return Dice(next()); }

 private:
  std::uint64_t state_;
};

using HostId = std::size_t;
inline constexpr HostId nobody = 0;  // what belongs to no host survives every crash

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);
  ~Simulation();

  Monotonic now() const { return now_; }
  Dice& dice() { return dice_; }

  HostId add_host(std::string name);
  const std::string& name(HostId host) const { return hosts_[host].name; }
  bool up(HostId host) const { return hosts_[host].loop != nullptr; }
  int incarnation(HostId host) const { return hosts_[host].incarnation; }
  void start(HostId host);
  void forget(HostId host);   // what was to happen on it will not
  void destroy(HostId host);  // its loop, with every coroutine on it
  void spawn(HostId host, Task<> task);
  boost::asio::io_context& loop(HostId host) { return *hosts_[host].loop; }

  // The wall clock of a host is wrong by so much.
  milliseconds skew(HostId host) const { return hosts_[host].skew; }
  void set_skew(HostId host, milliseconds skew) { hosts_[host].skew = skew; }

  using Event = std::move_only_function<void()>;
  using EventId = std::pair<Monotonic, std::uint64_t>;
  EventId at(Monotonic when, HostId owner, Event event);
  EventId after(milliseconds delay, HostId owner, Event event) { return at(now_ + delay, owner, std::move(event)); }
  void fire(EventId id);  // now instead of then; nothing when it has happened

  // One event and everything that can run after it; false when nothing is left to happen.
  bool step();
  void run_until(Monotonic when);

  // What happened, as a number: two runs are the same if these are.
  void trace(std::uint64_t what);
  void trace(std::string_view text);
  std::uint64_t hash() const { return hash_; }

  std::uint64_t next_number() { return ++sequence_; }

  std::map<std::string, std::int64_t, std::less<>> faults;  // how often each kind struck
  void struck(std::string_view fault);

 private:
  struct Host {
    std::string name;
    std::unique_ptr<boost::asio::io_context> loop;
    std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> busy;
    int incarnation = 0;
    milliseconds skew{0};
  };
  struct Planned {
    HostId owner;
    Event event;
  };

  void settle();

  Monotonic now_{};
  Dice dice_;
  std::vector<Host> hosts_;
  std::map<EventId, Planned> planned_;
  std::uint64_t sequence_ = 0, hash_ = 0;
};

class SimulatedClock final : public Clock {
 public:
  SimulatedClock(Simulation& simulation, HostId host) : simulation_(simulation), host_(host) {}

  Instant wall() const override;
  Monotonic now() const override { return simulation_.now(); }
  std::unique_ptr<Alarm> alarm() override;
  Task<> sleep(milliseconds duration) override;

 private:
  Simulation& simulation_;
  const HostId host_;
};

}  // namespace shop::simulated

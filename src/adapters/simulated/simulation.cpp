#include "adapters/simulated/simulation.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <boost/asio/co_spawn.hpp>

#include "base/await_callback.hpp"

namespace shop::simulated {
namespace {

constexpr std::uint64_t golden = 0x9E3779B97F4A7C15ULL;
constexpr Instant beginning{1'767'225'600'000};  // 2026-01-01T00:00:00Z
constexpr int most_rounds = 1'000'000;           // of things that can run without time passing

std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

class SimulatedAlarm final : public Alarm {
 public:
  SimulatedAlarm(Simulation& simulation, HostId host) : simulation_(simulation), host_(host) {}

  // The waiter belongs to the planned event, not to the alarm: a crash forgets it there.
  Task<> wait_until(Monotonic at) override {
    if (std::exchange(woken_, false)) co_return;
    (void)co_await await_callback<bool>([&](Callback<bool> done) {
      waiting_ = simulation_.at(at, host_, [this, done = std::move(done)]() mutable {
        waiting_.reset();
        done(true);
      });
    });
    woken_ = false;
  }

  void wake() override {
    if (waiting_) simulation_.fire(*waiting_);
    else woken_ = true;
  }

 private:
  Simulation& simulation_;
  const HostId host_;
  std::optional<Simulation::EventId> waiting_;
  bool woken_ = false;
};

}  // namespace

void Dice::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const auto number = next();
    const auto part = std::min(out.size(), sizeof number);
    std::memcpy(out.data(), &number, part);
    out = out.subspan(part);
  }
}

std::uint64_t Dice::next() { return mixed(state_ += golden); }

milliseconds Dice::between(milliseconds least, milliseconds most) {
  return least + milliseconds(static_cast<std::int64_t>(below(static_cast<std::uint64_t>((most - least).count()) + 1)));
}

Simulation::Simulation(std::uint64_t seed) : now_(hours(1)), dice_(mixed(seed + golden)), hosts_(1) { hosts_[nobody].name = "nobody"; }

Simulation::~Simulation() {
  for (HostId host = 1; host < hosts_.size(); ++host) {
    forget(host);
    destroy(host);
  }
}

HostId Simulation::add_host(std::string name) {
  hosts_.push_back({std::move(name), nullptr, std::nullopt, 0, milliseconds(0)});
  start(hosts_.size() - 1);
  return hosts_.size() - 1;
}

void Simulation::start(HostId id) {
  auto& host = hosts_[id];
  host.loop = std::make_unique<boost::asio::io_context>(1);
  host.busy.emplace(host.loop->get_executor());
  ++host.incarnation;
}

void Simulation::forget(HostId host) {
  std::vector<Planned> forgotten;  // destroyed outside the map: destructors may plan and fire
  for (auto it = planned_.begin(); it != planned_.end();) {
    if (it->second.owner == host) {
      forgotten.push_back(std::move(it->second));
      it = planned_.erase(it);
    } else {
      ++it;
    }
  }
}

void Simulation::destroy(HostId id) {
  auto& host = hosts_[id];
  host.busy.reset();
  host.loop.reset();
}

void Simulation::spawn(HostId host, Task<> task) {
  boost::asio::co_spawn(*hosts_[host].loop, std::move(task), [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

Simulation::EventId Simulation::at(Monotonic when, HostId owner, Event event) {
  const EventId id{std::max(when, now_), ++sequence_};
  planned_.emplace(id, Planned{owner, std::move(event)});
  return id;
}

void Simulation::fire(EventId id) {
  const auto it = planned_.find(id);
  if (it == planned_.end()) return;
  auto planned = std::move(it->second);
  planned_.erase(it);
  planned.event();
}

void Simulation::settle() {
  for (int round = 0; round < most_rounds; ++round) {
    std::size_t ran = 0;
    for (auto& host : hosts_) {
      if (host.loop) ran += host.loop->poll();
    }
    if (ran == 0) return;
  }
  std::fputs("The simulated world runs on without time passing.\n", stderr);
  std::abort();
}

bool Simulation::step() {
  settle();
  if (planned_.empty()) return false;
  const auto next = planned_.begin();
  now_ = next->first.first;
  auto planned = std::move(next->second);
  trace(static_cast<std::uint64_t>(now_.time_since_epoch().count()) ^ planned.owner);
  planned_.erase(next);
  planned.event();
  return true;
}

void Simulation::run_until(Monotonic when) {
  settle();
  while (!planned_.empty() && planned_.begin()->first.first <= when) {
    step();
    settle();
  }
  now_ = std::max(now_, when);
}

void Simulation::trace(std::uint64_t what) { hash_ = mixed(hash_ ^ what) + golden; }

void Simulation::trace(std::string_view text) {
  std::uint64_t sum = text.size();
  while (!text.empty()) {
    std::uint64_t word = 0;
    const auto part = std::min(text.size(), sizeof word);
    std::memcpy(&word, text.data(), part);
    sum = mixed(sum ^ word);
    text.remove_prefix(part);
  }
  trace(sum);
}

void Simulation::struck(std::string_view fault) {
  trace(fault);
  if (const auto it = faults.find(fault); it != faults.end()) ++it->second;
  else faults.emplace(fault, 1);
}

Instant SimulatedClock::wall() const {
  const auto passed = std::chrono::duration_cast<milliseconds>(simulation_.now().time_since_epoch());
  return beginning + passed + simulation_.skew(host_);
}

std::unique_ptr<Alarm> SimulatedClock::alarm() { return std::make_unique<SimulatedAlarm>(simulation_, host_); }

Task<> SimulatedClock::sleep(milliseconds duration) {
  (void)co_await await_callback<bool>([&](Callback<bool> done) {
    simulation_.after(duration, host_, [done = std::move(done)]() mutable { done(true); });
  });
}

}  // namespace shop::simulated

// Three requests under one key, at once, for one of the last two pieces, and somebody else who takes both and gives them back: the
// races that the model finds (tests/model) are rare in a shop of 200 operations, and common here.
#include <fmt/format.h>

#include "simulation/run.hpp"

namespace shop::simulation {
namespace {

constexpr int rounds = 8, at_once = 3, sendings = 3, pieces = 2;

Weather slow_and_lossy(simulated::Dice& dice) {
  Weather w;
  const auto some = [&](unsigned most) { return static_cast<unsigned>(dice.below(most)); };
  w.network = {some(80), some(80), some(80), some(80), some(100), some(500), milliseconds(20), milliseconds(600)};
  w.database = {some(20), some(40), some(20), some(40), some(300), milliseconds(5), milliseconds(400)};
  w.events = {some(400), some(400), some(60), some(100), some(100)};
  w.advice_lost = some(300);
  return w;
}

struct Round {
  World& world;
  Shoppers& shoppers;
  std::string variant;
  Placing* placing = nullptr;
  int running = 0;
};

// Whatever the answer was.
Task<> insist(Round& round, simulated::Dice dice) {
  for (int i = 0; i < sendings; ++i) {
    co_await round.world.clock().sleep(dice.between(milliseconds(0), milliseconds(400)));
    (void)co_await round.shoppers.send(*round.placing, round.placing->body);
  }
  --round.running;
}

Task<> take_and_give_back(Round& round, simulated::Dice dice) {
  co_await round.world.clock().sleep(dice.between(milliseconds(0), milliseconds(100)));
  auto& other = round.shoppers.new_placing(false, {{round.variant, pieces}});
  (void)co_await round.shoppers.send(other, other.body);
  co_await round.world.clock().sleep(dice.between(milliseconds(0), milliseconds(300)));
  if (!other.acknowledged.empty()) (void)co_await round.shoppers.cancel(other.acknowledged.front().order, other.guest_token, {});
  --round.running;
}

Task<> give_back(Round& round) {
  for (const auto& seen : round.placing->acknowledged) (void)co_await round.shoppers.cancel(seen.order, round.placing->guest_token, {});
  --round.running;
}

// In good weather.
Task<> sell_out(Round& round, std::int64_t stock) {
  co_await round.shoppers.log_in();
  auto& adjusting = round.shoppers.new_adjusting();
  adjusting.variant = round.variant;
  adjusting.change = pieces - stock;
  (void)co_await round.shoppers.send(adjusting);
  --round.running;
}

void spawn(Round& round, Task<> task) {
  ++round.running;
  round.world.simulation().spawn(round.world.clients(), std::move(task));
}

void wait(Round& round) {
  auto& simulation = round.world.simulation();
  const auto limit = simulation.now() + minutes(2);
  while (round.running > 0 && simulation.now() < limit && simulation.step()) {}
  if (round.running > 0) throw std::runtime_error("Shoppers wait for answers without end.");
}

}  // namespace

Outcome contend(std::uint64_t seed, Bug bug) {
  simulated::Dice dice(seed);
  Witness witness(bug);
  World world({.seed = seed, .reservation_lifetime = dice.between(milliseconds(200), milliseconds(2000))}, witness, &beginning());
  witness.attach(world);
  auto& simulation = world.simulation();
  for (int i = 0; i < 600 && !world.ready(); ++i) simulation.run_until(simulation.now() + milliseconds(10));

  Shoppers shoppers(world, dice.split(), 0);
  const auto& item = beginning().items[dice.below(beginning().items.size())];
  Round round{world, shoppers, item.variant.text()};
  spawn(round, sell_out(round, item.stock));
  wait(round);
  world.weather = slow_and_lossy(dice);
  world.network().weather = world.weather.network;
  for (int i = 0; i < rounds; ++i) {
    round.placing = &shoppers.new_placing(true, {{round.variant, 1}});
    for (int k = 0; k < at_once; ++k) spawn(round, insist(round, dice.split()));
    spawn(round, take_and_give_back(round, dice.split()));
    const auto dies = dice.between(milliseconds(0), milliseconds(4000));  // or not, when it is all over by then
    simulation.after(dies, simulated::nobody, [&world, &round, i, turn = round.placing] {
      const auto machine = world.machine_of("order");
      if (i % 2 == 0 || round.placing != turn || !world.up(machine)) return;
      world.simulation().struck("process killed");
      world.crash(machine, simulated::Disk::Failure::process);
      world.restart(machine);
    });
    wait(round);
    spawn(round, give_back(round));
    wait(round);
  }
  round.placing = nullptr;
  Outcome out{seed, 0, {}, {}, {}, {}};
  out.violations = concluded(world, shoppers, witness);
  out.faults = simulation.faults;
  for (const auto& placing : shoppers.ledger().placings) out.done["place"] += placing.sent;
  out.done["cancel"] = static_cast<std::int64_t>(shoppers.ledger().told.size());
  out.steps = witness.steps();
  out.hash = simulation.hash();
  return out;
}

}  // namespace shop::simulation

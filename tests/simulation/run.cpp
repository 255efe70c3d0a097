#include "simulation/run.hpp"

#include <fmt/format.h>

namespace shop::simulation {
namespace {

using simulated::Disk;

// Crashes, full disks, jumping clocks and lost indexes, at moments drawn within the busy part of the run.
void plan_accidents(World& world, const std::shared_ptr<bool>& over) {
  auto& simulation = world.simulation();
  auto& dice = simulation.dice();
  const auto moment = [&] { return dice.between(milliseconds(100), milliseconds(6000)); };
  for (int i = 0; i < world.weather.crashes; ++i) {
    const auto machine = dice.below(world.machines());
    const auto failure = world.weather.power && dice.chance(600) ? Disk::Failure::power : Disk::Failure::process;
    const auto down = dice.between(milliseconds(20), milliseconds(2500));
    simulation.after(moment(), simulated::nobody, [&world, over, machine, failure, down] {
      if (*over || !world.up(machine)) return;
      world.simulation().struck(failure == Disk::Failure::power ? "power failed" : "process killed");
      world.crash(machine, failure);
      world.simulation().after(down, simulated::nobody, [&world, machine] {
        if (!world.up(machine)) world.restart(machine);
      });
    });
  }
  for (int i = 0; i < world.weather.full_disks; ++i) {
    const auto machine = dice.below(world.machines());
    const auto begins = moment();
    simulation.after(begins, simulated::nobody, [&world, over, machine] {
      if (*over) return;
      world.simulation().struck("disk full");
      world.disk(machine).set_full(true);
    });
    simulation.after(begins + milliseconds(1500), simulated::nobody, [&world, machine] { world.disk(machine).set_full(false); });
  }
  for (int i = 0; i < world.weather.clock_jumps; ++i) {
    const auto machine = dice.below(world.machines());
    const auto jump = dice.between(-hours(1), hours(1));
    simulation.after(moment(), simulated::nobody, [&world, over, machine, jump] {
      if (*over) return;
      world.simulation().struck("clock jumped");
      world.simulation().set_skew(world.host(machine), jump);
    });
  }
  for (int i = 0; i < world.weather.lost_indexes; ++i) {
    simulation.after(moment(), simulated::nobody, [&world, over] {
      if (*over) return;
      world.simulation().struck("index lost");
      world.engine().damage();
    });
  }
  for (std::size_t i = 0; i < world.machines(); ++i) world.disk(i).set_flush_failures(world.weather.flush_failures);
}

std::int64_t count(World& world, const std::string& store, std::string_view sql) {
  return std::get<std::int64_t>(world.rows(store, sql).row(0)[0]);
}

}  // namespace

void heal(World& world) {
  world.weather = calm();
  world.network().weather = world.weather.network;
  for (std::size_t i = 0; i < world.machines(); ++i) {
    if (!world.up(i)) world.restart(i);
    world.disk(i).set_full(false);
    world.disk(i).set_flush_failures(0);
    world.simulation().set_skew(world.host(i), milliseconds(0));
  }
}

bool quiet(World& world) {
  auto& simulation = world.simulation();
  const auto limit = simulation.now() + minutes(3);
  while (simulation.now() < limit) {
    simulation.run_until(simulation.now() + seconds(1));
    if (!world.ready()) continue;
    const bool waiting = count(world, "auth", "SELECT count(*) FROM outbox") > 0 || count(world, "product", "SELECT count(*) FROM outbox") > 0 ||
                         count(world, "order", "SELECT count(*) FROM outbox") > 0 || count(world, "product", "SELECT count(*) FROM changed_products") > 0 ||
                         count(world, "product", "SELECT count(*) FROM reservations WHERE status = 'HELD'") > 0;
    if (waiting || !world.engine().complete) continue;
    const auto behind = count(world, "events",
                              "SELECT count(*) FROM positions p WHERE p.number < (SELECT COALESCE(MAX(e.number), 0) FROM events e WHERE e.topic = p.topic)");
    if (behind == 0) return true;
  }
  return false;
}

std::vector<std::string> concluded(World& world, Shoppers& shoppers, const Witness& witness) {
  auto& simulation = world.simulation();
  std::vector<std::string> violations;
  heal(world);
  for (int i = 0; i < 600 && !world.ready(); ++i) simulation.run_until(simulation.now() + milliseconds(100));
  shoppers.resume();
  const auto resumed = simulation.now() + minutes(10);
  while (!shoppers.finished() && simulation.now() < resumed && simulation.step()) {}
  if (!shoppers.finished()) violations.push_back("shoppers still wait for answers in fine weather");

  // Whatever was reserved has expired three hours later, whichever clock said when.
  simulation.run_until(simulation.now() + seconds(3));
  for (std::size_t i = 0; i < world.machines(); ++i) simulation.set_skew(world.host(i), hours(3));
  if (!quiet(world)) violations.push_back("it does not become quiet");
  shoppers.look();
  const auto looked = simulation.now() + minutes(1);
  while (!shoppers.finished() && simulation.now() < looked && simulation.step()) {}

  for (auto& violation : judged(world, shoppers.ledger(), witness)) violations.push_back(std::move(violation));
  return violations;
}

Outcome run(std::uint64_t seed, int operations, Bug bug) {
  simulated::Dice dice(seed);
  Witness witness(bug);
  World world({.seed = seed,
               .one_machine = dice.chance(250),
               .reservation_lifetime = dice.between(milliseconds(500), milliseconds(4000)),
               .carts_unchecked = bug == Bug::carts_unchecked,
               .index_forgets = bug == Bug::index_forgets},
              witness, &beginning());
  witness.attach(world);
  auto& simulation = world.simulation();
  simulation.run_until(simulation.now() + milliseconds(50));

  world.weather = drawn(dice);
  world.network().weather = world.weather.network;
  const auto over = std::make_shared<bool>(false);
  plan_accidents(world, over);
  Shoppers shoppers(world, dice.split(), operations);
  shoppers.open();
  const auto closing = simulation.now() + minutes(5);
  while (!shoppers.finished() && simulation.now() < closing && simulation.step()) {}

  *over = true;
  Outcome out{seed, 0, {}, {}, {}, {}};
  out.violations = concluded(world, shoppers, witness);
  out.faults = simulation.faults;
  for (std::size_t i = 0; i < world.machines(); ++i) {
    if (world.disk(i).refused() > 0) out.faults["write refused, disk full"] += world.disk(i).refused();
    if (world.disk(i).flush_failed() > 0) out.faults["flush refused"] += world.disk(i).flush_failed();
  }
  for (const auto& [kind, times] : shoppers.ledger().done) out.done[kind] += times;
  out.done["several orders in one transaction"] = witness.together();
  for (const auto& [status, times] : shoppers.ledger().statuses) out.done[fmt::format("answer {}", status)] += times;
  out.steps = witness.steps();
  out.hash = simulation.hash();
  return out;
}

}  // namespace shop::simulation

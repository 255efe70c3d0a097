// One seed: a world, its weather, its shoppers, and the judgement afterwards.
#pragma once

#include <cstdio>

#include "simulation/shoppers.hpp"
#include "simulation/witness.hpp"

namespace shop::simulation {

struct Outcome {
  std::uint64_t seed = 0, hash = 0;
  std::vector<std::string> violations;  // "I2 ..." with the rows that show it
  std::map<std::string, std::int64_t, std::less<>> faults, done;
  std::vector<Step> steps;
};

Outcome run(std::uint64_t seed, int operations, Bug bug);

// Many requests under few keys for the last piece of one variant.
Outcome contend(std::uint64_t seed, Bug bug);

// The steps as text for tests/model/traces: each order by itself, orders under one key together, in the order in which they happened.
void write_trace(const Outcome& outcome, std::FILE* out);

// What the stores say when it is quiet: one sentence for each invariant that does not hold.
std::vector<std::string> judged(World& world, const Ledger& ledger, const Witness& witness);

// Loops until nothing is under way any more; false when that takes too long.
bool quiet(World& world);

// Everything works again and stays so.
void heal(World& world);

// Heals, lets the shoppers ask again, waits until it is quiet, and judges.
std::vector<std::string> concluded(World& world, Shoppers& shoppers, const Witness& witness);

// Fails the 1st, 2nd, 3rd ... call through any port, in every way, until an operation makes no further call. True: nothing broke.
bool failure_loop(Bug bug);

}  // namespace shop::simulation

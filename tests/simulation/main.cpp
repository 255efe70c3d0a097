// simulate: runs seeds, counts faults, prints what broke.
//
//   simulate --seeds 1000 [--first 1] [--operations 200] [--jobs 2]    many worlds; exit code 1 when an invariant broke
//   simulate --seed 17 [--bug no_key]                                  one world, with everything it says
//   simulate --seeds 20 --trace FILE [--bug no_key]                    the steps of every order, for tests/model/traces
//   simulate --find BUG [--within 200]                                 whether the planted bug is found; exit code 1 when not
//   simulate --contended ...                                           any of these in worlds where the last piece is fought for
//   simulate --failure-loop [--bug no_key]                             every call of every operation fails once; exit code 1 when one broke
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "simulation/run.hpp"

namespace {

using namespace shop;
using namespace shop::simulation;

struct Arguments {
  std::uint64_t first = 1, seeds = 0, seed = 0;
  int operations = 200, within = 200;
  std::size_t jobs = 2;
  std::string bug = "none", find, trace;
  bool failure_loop = false, contended = false;
};

struct Sum {
  std::uint64_t runs = 0, broken = 0, hash = 0, operations = 0;
  std::map<std::string, std::int64_t> counts;
};

Outcome ran(const Arguments& arguments, std::uint64_t seed, Bug bug) {
  return arguments.contended ? contend(seed, bug) : run(seed, arguments.operations, bug);
}

void show(const Outcome& outcome, std::FILE* out) {
  for (std::size_t i = 0; i < std::min<std::size_t>(outcome.violations.size(), 10); ++i) {
    fmt::print(out, "seed {}: {}\n", outcome.seed, outcome.violations[i]);
  }
}

// One process for every job; each writes "count name" lines for its parent to add up.
void work(const Arguments& arguments, std::size_t job, Bug bug, std::FILE* out) {
  Sum sum;
  for (auto seed = arguments.first + job; seed < arguments.first + arguments.seeds; seed += arguments.jobs) {
    const auto outcome = ran(arguments, seed, bug);
    ++sum.runs;
    sum.hash ^= outcome.hash;
    if (!outcome.violations.empty()) {
      ++sum.broken;
      show(outcome, stderr);
    }
    for (const auto& [kind, times] : outcome.faults) sum.counts["fault  " + kind] += times;
    for (const auto& [kind, times] : outcome.done) {
      sum.counts["did    " + kind] += times;
      if (!kind.starts_with("answer")) sum.operations += static_cast<std::uint64_t>(times);
    }
  }
  fmt::print(out, "{} runs\n{} broken\n{} hash\n{} operations\n", sum.runs, sum.broken, sum.hash, sum.operations);
  for (const auto& [kind, times] : sum.counts) fmt::print(out, "{} {}\n", times, kind);
  std::fflush(out);
}

int many(const Arguments& arguments) {
  const auto begun = std::chrono::steady_clock::now();
  (void)beginning();  // once, before the processes part
  std::vector<std::pair<pid_t, std::FILE*>> jobs;
  for (std::size_t job = 0; job < arguments.jobs; ++job) {
    std::FILE* pipe = std::tmpfile();
    const pid_t child = fork();
    if (child == 0) {
      work(arguments, job, Bug::none, pipe);
      _exit(0);
    }
    jobs.emplace_back(child, pipe);
  }
  std::map<std::string, std::uint64_t> sums;
  bool died = false;
  for (auto& [child, pipe] : jobs) {
    int status = 0;
    waitpid(child, &status, 0);
    died = died || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    std::rewind(pipe);
    char line[256];
    while (std::fgets(line, sizeof line, pipe)) {
      char* name = nullptr;
      const auto value = std::strtoull(line, &name, 10);
      const std::string key(name + 1, std::strcspn(name + 1, "\n"));
      if (key == "hash") sums[key] ^= value;
      else sums[key] += value;
    }
    std::fclose(pipe);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  for (const auto& [name, value] : sums) {
    if (name.starts_with("fault") || name.starts_with("did")) fmt::print("{:>9}  {}\n", value, name);
  }
  fmt::print("seeds={} operations={} broken={} hash={:016x} seconds={:.1f} seeds_per_minute={:.0f}\n", sums["runs"], sums["operations"], sums["broken"],
             sums["hash"], took.count(), static_cast<double>(sums["runs"]) / took.count() * 60);
  if (died) fmt::print(stderr, "A process of the simulation died.\n");
  return died || sums["broken"] > 0 || sums["runs"] != arguments.seeds ? 1 : 0;
}

int trace(const Arguments& arguments, Bug bug) {
  std::FILE* out = std::fopen(arguments.trace.c_str(), "w");
  if (!out) throw std::runtime_error(arguments.trace + " cannot be written.");
  std::size_t steps = 0;
  for (auto seed = arguments.first; seed < arguments.first + arguments.seeds; ++seed) {
    const auto outcome = ran(arguments, seed, bug);
    write_trace(outcome, out);
    steps += outcome.steps.size();
  }
  fmt::print("{} steps of {} worlds\n", steps, arguments.seeds);
  return std::fclose(out) == 0 ? 0 : 1;
}

int find(const Arguments& arguments, Bug bug) {
  for (int i = 0; i < arguments.within; ++i) {
    const auto outcome = ran(arguments, arguments.first + static_cast<std::uint64_t>(i), bug);
    if (outcome.violations.empty()) continue;
    fmt::print("{} is found by seed {}, the {}th: {}\n", arguments.find, outcome.seed, i + 1, outcome.violations.front());
    return 0;
  }
  fmt::print("{} is not found within {} seeds\n", arguments.find, arguments.within);
  return 1;
}

int one(const Arguments& arguments, Bug bug) {
  const auto outcome = ran(arguments, arguments.seed, bug);
  for (const auto& [kind, times] : outcome.faults) fmt::print("{:>9}  {}\n", times, kind);
  for (const auto& [kind, times] : outcome.done) fmt::print("{:>9}  {}\n", times, kind);
  show(outcome, stdout);
  fmt::print("seed={} hash={:016x} violations={}\n", outcome.seed, outcome.hash, outcome.violations.size());
  return outcome.violations.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"The shop in a simulated world."};
  app.add_option("--first", arguments.first, "First seed")->capture_default_str();
  app.add_option("--seeds", arguments.seeds, "How many seeds");
  app.add_option("--seed", arguments.seed, "One seed");
  app.add_option("--operations", arguments.operations, "Operations in each world")->capture_default_str();
  app.add_option("--jobs", arguments.jobs, "Processes")->check(CLI::Range(1, 64))->capture_default_str();
  app.add_option("--bug", arguments.bug, "Planted bug for --seed, --trace and --failure-loop");
  app.add_option("--find", arguments.find, "Planted bug that must be found");
  app.add_option("--within", arguments.within, "Seeds in which it must be")->capture_default_str();
  app.add_option("--trace", arguments.trace, "Where to write the steps of every order");
  app.add_flag("--contended", arguments.contended, "Instead of a whole shop: many requests under few keys for the last piece");
  app.add_flag("--failure-loop", arguments.failure_loop, "Fails every call in turn");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto bug = codec::enum_named<Bug>(arguments.find.empty() ? arguments.bug : arguments.find);
    if (!bug) throw std::runtime_error("There is no such bug.");
    if (arguments.failure_loop) return failure_loop(*bug) ? 0 : 1;
    if (!arguments.find.empty()) return find(arguments, *bug);
    if (!arguments.trace.empty()) return trace(arguments, *bug);
    if (arguments.seeds > 0) return many(arguments);
    return one(arguments, *bug);
  } catch (const std::exception& error) {
    fmt::print(stderr, "simulate: {}\n", error.what());
    return 2;
  }
}

// Recorded steps, placing by placing, for the model to judge.
#include <fmt/format.h>

#include "simulation/run.hpp"

namespace shop::simulation {

void write_trace(const Outcome& outcome, std::FILE* out) {
  struct Placing {
    bool keyed = false;
    std::vector<std::string> orders;  // their numbers in the text are their places here
    std::vector<const Step*> steps;
  };
  std::deque<Placing> placings;
  std::unordered_map<std::string, std::string> keys;  // by order
  for (const auto& step : outcome.steps) {
    if (!step.key.empty()) keys[step.order] = step.key;
  }
  std::unordered_map<std::string, Placing*> by_name;
  for (const auto& step : outcome.steps) {
    const auto key = keys.find(step.order);
    auto& of = by_name[key != keys.end() ? key->second : step.order];
    if (!of) of = &placings.emplace_back();
    of->keyed = key != keys.end();
    if (std::ranges::find(of->orders, step.order) == of->orders.end()) of->orders.push_back(step.order);
    of->steps.push_back(&step);
  }
  for (const auto& placing : placings) {
    fmt::print(out, "placing {} seed={} {}\n", placing.keyed ? "keyed" : "free", outcome.seed, placing.orders.front());
    for (const auto* step : placing.steps) {
      const auto number = std::ranges::find(placing.orders, step->order) - placing.orders.begin();
      fmt::print(out, "{} {} {}{}\n", step->action, number, step->answer, step->unsure ? " unsure" : "");
    }
    fmt::print(out, "QUIET\n");
  }
}

}  // namespace shop::simulation

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
  std::unordered_map<std::string, Placing*> by_key, by_order;
  for (const auto& step : outcome.steps) {
    auto& of_order = by_order[step.order];
    auto& of = step.key.empty() ? of_order : by_key[step.key];
    if (!of) of = &placings.emplace_back();
    of_order = of;
    of->keyed = of->keyed || !step.key.empty();
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

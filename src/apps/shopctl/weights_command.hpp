// `shopctl weights`: shares of the traffic for instances and versions, at run time (docs/run-book.md, "Weights").
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace shop {

struct WeightsCommand {
  enum class Verb { list, set, reset };

  Verb verb = Verb::list;
  std::vector<std::string> names;  // of set: NAME=WEIGHT
  bool ahead = false, force = false, json = false;

  void declare(CLI::App& app);
};

// 0: done. 1: refused, with a sentence; nothing was changed. Throws std::runtime_error when Consul cannot be asked.
int run_weights(const WeightsCommand& command, const std::string& consul_host, std::uint16_t consul_port);

}  // namespace shop

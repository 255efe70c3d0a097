// `shopctl dlq`: dead letters of the embedded event log, whether or not a shop runs on the folder, or of Kafka.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace shop {

struct DlqCommand {
  enum class Verb { list, show, replay };

  std::string kafka_brokers;  // empty: the data folder
  Verb verb = Verb::list;
  std::vector<std::string> ids;
  bool all = false, again = false, json = false;

  void declare(CLI::App& app);
};

// 0: done. 1: a letter that was named is not there, or may not be sent again. Throws std::runtime_error when the log cannot be used.
int run_dlq(const DlqCommand& command, const std::string& data);

}  // namespace shop

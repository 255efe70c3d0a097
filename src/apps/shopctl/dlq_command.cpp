#include "apps/shopctl/dlq_command.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>

#include "adapters/kafka/kafka.hpp"
#include "adapters/sql_log/sql_log.hpp"
#include "adapters/sqlite/database.hpp"
#include "adapters/system/system.hpp"
#include "apps/blocking.hpp"
#include "apps/settings.hpp"
#include "codec/json_writer.hpp"
#include "net/io_threads.hpp"
#include "runtime/dead_letters.hpp"

namespace shop {
namespace {

constexpr seconds limit{60};

[[noreturn]] void give_up(const Error& error) {
  throw std::runtime_error(error.detail.empty() ? error.message : fmt::format("{} ({})", error.message, error.detail));
}

void show(const DeadLetter& letter) {
  fmt::print("id         {}\ncause      {}\ncode       {}\nattempts   {} by {}\ntime       {}\nfrom       {} partition {} offset {} key {}\n"
             "sent again {}\n{}\n\n",
             letter.id, letter.cause, letter.code, letter.attempts, letter.group, letter.time, letter.topic, letter.partition, letter.offset,
             letter.key, letter.replayed ? "yes" : "no", letter.value);
}

class Run {
 public:
  Run(const DlqCommand& command, EventLog& log) : command_(command), letters_(log, consuming_services) {
    context_.deadline = clock_.now() + limit;
  }

  int go() {
    auto found = run_blocking(threads_.first(), letters_.list(context_));
    if (!found) give_up(found.error());
    int code = 0;
    std::vector<DeadLetter> chosen;
    if (command_.verb == DlqCommand::Verb::list || command_.all) {
      std::ranges::copy_if(*found, std::back_inserter(chosen), [&](const auto& letter) {
        return command_.verb == DlqCommand::Verb::list || command_.again || !letter.replayed;
      });
    }
    for (const auto& id : command_.ids) {
      const auto at = std::ranges::find(*found, id, &DeadLetter::id);
      if (at != found->end()) chosen.push_back(*at);
      else code = complain(fmt::format("There is no dead letter {}.", id));
    }
    if (code != 0) return code;  // a mistyped name sends nothing
    if (command_.verb == DlqCommand::Verb::replay) return replay(chosen);
    print(chosen);
    return 0;
  }

 private:
  int replay(const std::vector<DeadLetter>& chosen) {
    int code = 0;
    for (const auto& letter : chosen) {
      if (const auto sent = run_blocking(threads_.first(), letters_.replay(context_, letter, command_.again)); !sent) code = complain(sent.error().message);
      else fmt::print("{} sent again to {}.\n", letter.id, letter.topic);
    }
    if (chosen.empty()) fmt::print("There is nothing to send again.\n");
    return code;
  }

  void print(const std::vector<DeadLetter>& chosen) const {
    if (command_.json) {
      fmt::print("{}\n", codec::to_json(chosen));
      return;
    }
    if (command_.verb == DlqCommand::Verb::show) {
      std::ranges::for_each(chosen, show);
      return;
    }
    if (chosen.empty()) fmt::print("There are no dead letters.\n");
    for (const auto& letter : chosen) {
      fmt::print("{}  {}  {}  {}  {}{}\n", letter.id, letter.time, letter.topic, letter.key, letter.cause, letter.replayed ? "  (sent again)" : "");
    }
  }

  static int complain(const std::string& sentence) {
    fmt::print(stderr, "shopctl: {}\n", sentence);
    return 1;
  }

  const DlqCommand& command_;
  SystemClock clock_;
  net::IoThreads threads_{1};
  Context context_;
  DeadLetters letters_;
};

}  // namespace

void DlqCommand::declare(CLI::App& app) {
  setting(app, "--kafka-brokers", "KAFKA_BROKERS", kafka_brokers, "Brokers of a distributed shop, instead of a data folder", format::addresses());
  app.add_flag("--json", json, "For programs");
  app.require_subcommand(1);
  app.add_subcommand("list", "All of them, with their cause")->callback([this] { verb = Verb::list; });
  auto* showing = app.add_subcommand("show", "Everything about one");
  showing->add_option("ID", ids, "As listed")->required()->expected(1);
  showing->callback([this] { verb = Verb::show; });
  auto* sending = app.add_subcommand("replay", "Send the original event again to its topic");
  auto* some = sending->add_option("ID", ids, "As listed");
  auto* every = sending->add_flag("--all", all, "Every one that was not sent again yet");
  some->excludes(every);
  sending->add_flag("--again", again, "Also what was sent again before");
  sending->callback([this] {
    verb = Verb::replay;
    if (ids.empty() && !all) throw CLI::RequiredError("ID or --all");
  });
}

int run_dlq(const DlqCommand& command, const std::string& data) {
  SystemClock clock;
  if (!command.kafka_brokers.empty()) {
    const auto log = open_kafka({.brokers = command.kafka_brokers, .client_id = "shopctl"}, clock);
    return Run(command, *log).go();
  }
  const auto file = std::filesystem::path(data) / "events.db";
  if (!std::filesystem::exists(file)) throw std::runtime_error(fmt::format("There is no shop in {}.", data));
  const auto database = sqlite::open({.path = file}, clock);
  SqlEventLog log(*database, clock);
  return Run(command, log).go();
}

}  // namespace shop

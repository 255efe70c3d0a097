#include "apps/shopctl/doctor_command.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

#include "adapters/elasticsearch/elasticsearch_index.hpp"
#include "adapters/kafka/kafka.hpp"
#include "adapters/postgres/database.hpp"
#include "adapters/sql_log/sql_log.hpp"
#include "adapters/sqlite/database.hpp"
#include "adapters/system/system.hpp"
#include "adapters/xapian/xapian_index.hpp"
#include "apps/blocking.hpp"
#include "apps/data_folder.hpp"
#include "apps/doctor.hpp"
#include "apps/settings.hpp"
#include "base/worker_pool.hpp"
#include "codec/json_writer.hpp"
#include "net/client.hpp"
#include "net/io_threads.hpp"

namespace shop {
namespace {

constexpr seconds patience_beside_a_shop{10};
constexpr hours longest_examination{6};

// The stores, open for as long as this lives.
struct OpenStores {
  SystemClock clock;
  std::optional<DataFolder> folder;  // held when no shop runs on it
  WorkerPool workers{"connect", 2, 16};
  net::IoThreads threads{1};
  net::ClientPool pool;
  std::vector<std::unique_ptr<Database>> databases;
  std::unique_ptr<EventLog> log;
  std::unique_ptr<SearchListing> index;
  DoctorStores stores;
  bool beside_a_shop = false;

  Database* sqlite(const std::filesystem::path& file) {
    return databases.emplace_back(sqlite::open({.path = file, .readers = 1}, clock)).get();
  }

  Database* postgres(const std::string& url) {
    if (url.empty()) return nullptr;
    if (!url.starts_with("postgres://") && !url.starts_with("postgresql://")) {
      throw std::runtime_error(fmt::format("{} is no postgres:// address.", url.substr(0, url.find('@'))));
    }
    return databases.emplace_back(postgres::open({.url = url, .connections = 2}, threads.first(), workers, clock)).get();
  }
};

std::unique_ptr<OpenStores> open_folder(const std::string& data) {
  const std::filesystem::path path(data);
  for (const auto* file : {"VERSION", "auth.db", "product.db", "order.db", "events.db"}) {
    if (!std::filesystem::exists(path / file)) throw std::runtime_error(fmt::format("{} holds no shop: {} is missing.", data, file));
  }
  auto open = std::make_unique<OpenStores>();
  if (auto folder = DataFolder::lock(path)) open->folder.emplace(std::move(*folder));
  open->beside_a_shop = !open->folder;
  open->stores = {open->sqlite(path / "auth.db"), open->sqlite(path / "product.db"), open->sqlite(path / "order.db"), open->sqlite(path / "events.db"),
                  nullptr, nullptr};
  open->log = std::make_unique<SqlEventLog>(*open->stores.events, open->clock);
  open->index = list_xapian(path / "search");
  open->stores.log = open->log.get();
  open->stores.index = open->index.get();
  return open;
}

std::unique_ptr<OpenStores> open_urls(const DoctorCommand& command) {
  auto open = std::make_unique<OpenStores>();
  open->beside_a_shop = true;
  open->stores = {open->postgres(command.auth_url), open->postgres(command.product_url), open->postgres(command.order_url), nullptr, nullptr, nullptr};
  if (!command.kafka_brokers.empty()) open->log = open_kafka({.brokers = command.kafka_brokers, .client_id = "shopctl"}, open->clock);
  if (!command.elasticsearch_node.empty()) {
    const auto node = endpoint_of(command.elasticsearch_node, 9200, "ELASTICSEARCH_NODE");
    open->index = list_elasticsearch({.nodes = {node}}, open->pool, open->clock);
  }
  open->stores.log = open->log.get();
  open->stores.index = open->index.get();
  return open;
}

std::vector<std::string> lines_of(const std::string& file) {
  std::vector<std::string> lines;
  if (file.empty()) return lines;
  std::ifstream in(file);
  if (!in) throw std::runtime_error(fmt::format("{} cannot be read.", file));
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

DoctorReport examine(const DoctorCommand& command, OpenStores& open, seconds patience) {
  Doctor doctor(open.stores, open.clock);
  Context context;
  context.deadline = open.clock.now() + longest_examination;
  auto report = run_blocking(open.threads.first(), doctor.examine(context, {patience, lines_of(command.acknowledged_file)}));
  if (!report) throw std::runtime_error(fmt::format("The stores cannot be examined: {} {}", report.error().message, report.error().detail));
  return std::move(*report);
}

DoctorReport examine(const DoctorCommand& command, const std::string& data) {
  const auto open = command.distributed() ? open_urls(command) : open_folder(data);
  const auto patience = command.patience_s >= 0 ? seconds(command.patience_s) : open->beside_a_shop ? patience_beside_a_shop : seconds(0);
  return examine(command, *open, patience);
}

// How many findings stand after mending. What was mended may take its time: events are on their way.
std::size_t left_over(const DoctorCommand& command, const std::string& data, const DoctorReport& report) {
  DoctorCommand again = command;
  again.patience_s = 0;
  std::set<std::string> before;
  for (const auto& finding : report.findings) before.insert(key_of(finding));
  const auto end = std::chrono::steady_clock::now() + patience_beside_a_shop;
  for (;;) {
    const auto after = examine(again, data);
    const auto tried = [&](const Finding& finding) { return finding.repair != Repair::none && before.contains(key_of(finding)); };
    if (std::ranges::none_of(after.findings, tried) || std::chrono::steady_clock::now() > end) return after.findings.size();
    std::this_thread::sleep_for(milliseconds(300));
  }
}

std::string list(const std::map<std::string, std::int64_t>& numbers) {
  std::string text;
  for (const auto& [name, number] : numbers) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", number, name);
  return text;
}

void print(const DoctorReport& report) {
  for (const auto& finding : report.findings) {
    fmt::print("{} {}: {}\n", finding.invariant, finding.subject, finding.message);
    for (const auto& row : finding.rows) fmt::print("    {}\n", row);
    if (!finding.mended.empty()) fmt::print("    -> {}\n", finding.mended);
  }
  fmt::print("Looked at: {}.\n", list(report.counted));
  if (!report.waiting.empty()) fmt::print("Under way: {}.\n", list(report.waiting));
  for (const auto& name : report.not_checked) fmt::print("Not looked at: {}.\n", name);
}

void print_json(const DoctorReport& report) {
  boost::json::array findings;
  for (const auto& f : report.findings) {
    findings.push_back({{"invariant", f.invariant}, {"subject", f.subject}, {"message", f.message}, {"rows", boost::json::value_from(f.rows)},
                        {"mendable", f.repair != Repair::none}, {"mended", f.mended.empty() ? boost::json::value() : boost::json::value(f.mended)}});
  }
  const boost::json::object whole{{"findings", findings},
                                  {"counted", boost::json::value_from(report.counted)},
                                  {"waiting", boost::json::value_from(report.waiting)},
                                  {"notChecked", boost::json::value_from(report.not_checked)}};
  fmt::print("{}\n", boost::json::serialize(whole));
}

Format database_address() {
  return {"URL", [](const std::string& value) -> std::string {
            return value.empty() || postgres::usable_address(value) ? "" : "is not postgres://user:password@host:port/database";
          }};
}

}  // namespace

void DoctorCommand::declare(CLI::App& app) {
  secret(app, "--auth-database-url", "AUTH_DATABASE_URL", auth_url, "postgres://… of auth-service; with the next two: instead of --data", database_address());
  secret(app, "--product-database-url", "PRODUCT_DATABASE_URL", product_url, "postgres://… of product-service", database_address());
  secret(app, "--order-database-url", "ORDER_DATABASE_URL", order_url, "postgres://… of order-service", database_address());
  setting(app, "--elasticsearch-node", "ELASTICSEARCH_NODE", elasticsearch_node, "http://host:port of the search engine; with databases by address",
          format::address({"http"}));
  setting(app, "--kafka-brokers", "KAFKA_BROKERS", kafka_brokers, "Brokers of the event log; with databases by address", format::addresses());
  app.add_option("--acknowledged", acknowledged_file, "File of order ids, one a line, that clients were given: each must exist");
  app.add_option("--patience", patience_s, "Seconds to look again before calling something a fault; default 10 beside a shop that may run")
      ->check(CLI::Range(0, 3600).description(""))->type_name("0..3600");
  app.add_flag("--fix", mend, "Mend what can be derived: reservations without an order, stock of cancelled orders, copies, the index");
  app.add_flag("--json", json, "Print one JSON document");
}

int run_doctor(const DoctorCommand& command, const std::string& data,
               const std::function<void(const std::function<void(OperatorAccess)>&)>& with_shop) {
  auto report = examine(command, data);
  std::size_t left = report.findings.size();
  if (command.mend && left > 0) {
    const auto mend = [&](OperatorAccess access) {
      SystemClock clock;
      Doctor doctor({}, clock);
      const Context context;
      run_blocking(access.loop, doctor.mend(context, access.caller, report));
      left = left_over(command, data, report);
    };
    with_shop(mend);
  }
  command.json ? print_json(report) : print(report);
  const auto found = report.findings.size();
  if (command.json) return left == 0 ? 0 : 1;
  if (found == 0) fmt::print("I1 to I8 hold.\n");
  else if (command.mend) fmt::print("{} found, {} left.\n", found, left);
  else fmt::print("{} found. Nothing was changed; --fix mends what can be derived.\n", found);
  return left == 0 ? 0 : 1;
}

}  // namespace shop

// shopctl: what an operator does to a shop from the command line.
//
// While a shop runs on the data folder, commands go through its control socket; otherwise they open the folder themselves.
// A distributed shop is reached through Consul or by its services' addresses.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "adapters/system/system.hpp"
#include "apps/blocking.hpp"
#include "apps/embedded_shop.hpp"
#include "apps/importer.hpp"
#include "apps/demo/demo.hpp"
#include "apps/reindex.hpp"
#include "apps/settings.hpp"
#include "apps/shopctl/certs_command.hpp"
#include "apps/shopctl/dlq_command.hpp"
#include "apps/shopctl/doctor_command.hpp"
#include "apps/shopctl/remote_shop.hpp"
#include "apps/shopctl/weights_command.hpp"
#include "apps/socket_caller.hpp"
#include "observe/log.hpp"
#include "services/auth/api.hpp"

namespace {

using namespace shop;

// A shop to talk to: the one that runs, or one of our own for the time of the command.
class Connection {
 public:
  Connection(const std::string& data, const std::string& image_base_url, const RemoteSettings& remote) {
    if (remote.given()) {
      remote_ = std::make_unique<RemoteShop>(remote);
    } else if (auto folder = DataFolder::lock(data)) {
      own_ = std::make_unique<EmbeddedShop>(std::move(*folder), EmbeddedOptions{.io_threads = 1, .image_base_url = image_base_url});
      own_->start();
    } else {
      threads_ = std::make_unique<net::IoThreads>(1);
      running_ = std::make_unique<SocketCaller>(control_socket(std::filesystem::absolute(data)));
    }
  }

  ~Connection() {
    if (own_) own_->stop(std::chrono::steady_clock::now() + seconds(5));
  }

  ServiceCaller& caller() {
    if (remote_) return remote_->caller();
    return own_ ? own_->operator_caller() : *running_;
  }
  void stay_with_one(const std::string& service) {
    if (remote_) remote_->stay_with_one(service);
  }
  boost::asio::io_context& loop() {
    if (remote_) return remote_->loop();
    return own_ ? own_->threads().first() : threads_->first();
  }

 private:
  std::unique_ptr<EmbeddedShop> own_;
  std::unique_ptr<net::IoThreads> threads_;
  std::unique_ptr<SocketCaller> running_;
  std::unique_ptr<RemoteShop> remote_;
};

int complain(const Error& error) {
  fmt::print(stderr, "shopctl: {}{}\n", error.message, error.detail.empty() ? "" : " (" + error.detail + ")");
  for (const auto& fault : error.faults) {
    if (!fault.path.empty()) fmt::print(stderr, "  {} {}\n", fault.path, fault.message);
  }
  return 1;
}

int create_admin(Connection& shop, const std::string& email, const std::string& password, const std::string& name) {
  const Peer peer(shop.caller(), "auth-service");
  const Context context;
  const boost::json::object account{{"name", name}, {"email", email}, {"password", password}, {"role", "ADMIN"}};
  const boost::json::object request{{"accounts", boost::json::array{account}}};
  const auto outcome = run_blocking(shop.loop(), peer.post<auth::CreatedAccounts>(context, "/internal/accounts", request));
  if (!outcome) {
    Error error = outcome.error();
    constexpr std::string_view place = "accounts[0].";  // says nothing to who gave one
    for (std::size_t at; (at = error.message.find(place)) != error.message.npos;) error.message.erase(at, place.size());
    error.faults.clear();
    return complain(error);
  }
  if (!outcome->existing.empty()) {
    fmt::print(stderr, "shopctl: an account with the e-mail {} exists already; nothing was changed.\n", email);
    return 1;
  }
  fmt::print("Administrator {} created.\n", email);
  return 0;
}

std::optional<std::string> contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream out;
  out << in.rdbuf();
  return in.bad() ? std::nullopt : std::optional(out.str());
}

void show_progress(std::size_t done, std::size_t total) {
  if (!isatty(STDERR_FILENO) || total == 0) return;
  constexpr std::size_t width = 40;
  const auto filled = done * width / total;
  fmt::print(stderr, "\r[{}{}] {}/{} products{}", std::string(filled, '#'), std::string(width - filled, '.'), done, total,
             done == total ? "\n" : "");
  std::fflush(stderr);
}

// Before the shop's folder is touched: a file that cannot be read leaves nothing behind.
std::optional<std::string> catalogue_text(const std::string& file) {
  constexpr std::uintmax_t largest = 256 * 1024 * 1024;
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  auto text = error || size > largest ? std::nullopt : contents(file);
  if (!text) {
    fmt::print(stderr, "shopctl: {} cannot be read{}.\n", file, size > largest && !error ? ": it is larger than 256 MB" : "");
  }
  return text;
}

int import(Connection& shop, std::string text, const std::string& file, std::string pictures) {
  if (pictures.empty()) pictures = std::filesystem::path(file).parent_path() / "images";
  SystemClock clock;
  Importer importer(shop.caller(), clock, [&](const std::string& name) -> std::optional<std::string> {
    const std::filesystem::path relative(name);
    if (relative.has_parent_path() || name.empty() || name.front() == '.') return std::nullopt;  // pictures lie in one folder
    return contents(std::filesystem::path(pictures) / relative);
  });
  const Context context;
  const auto report = run_blocking(shop.loop(), importer.run(context, std::move(text), show_progress));
  if (!report) return complain(report.error());
  fmt::print("{} categories created; products: {} created, {} updated, {} unchanged; {} variants created; {} pictures.\n", report->categories,
             report->products_created, report->products_updated, report->products_unchanged, report->variants_created, report->pictures);
  for (const auto& fault : report->faults) fmt::print(stderr, "not imported: {}: {}\n", fault.row, fault.reason);
  if (!report->faults.empty()) fmt::print(stderr, "{} rows were left out; mend them and run the import again.\n", report->faults.size());
  return report->faults.empty() ? 0 : 1;
}

int command(Connection& shop, const std::string& service, const std::string& path, const std::string& done) {
  const Peer peer(shop.caller(), service);
  const Context context;
  const auto outcome = run_blocking(shop.loop(), peer.command<boost::json::value>(context, path));
  if (!outcome && outcome.error().code != Code::bad_upstream) return complain(outcome.error());
  fmt::print("{}\n", done);
  return 0;
}

// Searches go on meanwhile; the command can be ended without ending the rebuild of a running shop.
int reindex(Connection& shop) {
  shop.stay_with_one("search-service");
  SystemClock clock;
  const Context context;
  const auto report = run_blocking(shop.loop(), shop::reindex(context, shop.caller(), clock));
  if (!report) return complain(report.error());
  fmt::print("Index rebuilt: {} products.\n", report->indexed);
  return 0;
}

int demo(Connection& shop) {
  SystemClock clock;
  const Context context;
  if (const auto made = run_blocking(shop.loop(), create_demo_accounts(shop.caller(), context)); !made) return complain(made.error());
  const auto report = run_blocking(shop.loop(), load_demo(shop.caller(), clock, context));
  if (!report) return complain(report.error());
  fmt::print("Demo data loaded: {} products created, {} there before.\n", report->products_created, report->products_updated + report->products_unchanged);
  return 0;
}

// The commands and what is said of them on the command line; `run` is the one that was chosen.
class Commands {
 public:
  explicit Commands(CLI::App& app) {
    app.require_subcommand(1);
    folder_ = app.add_option("--data", data_, "Data folder of the shop")->capture_default_str();
    remote_.declare(app);
    declare_those_of_a_shop(app);
    declare_those_of_their_own(app);
  }

  int run() {
    if (folder_->count() > 0) {  // who names a folder means it, whatever the environment says
      remote_ = {};
      doctor_.auth_url.clear();
      doctor_.product_url.clear();
      doctor_.order_url.clear();
    }
    return chosen_();
  }

 private:
  void declare_those_of_a_shop(CLI::App& app) {
    auto* admin = app.add_subcommand("create-admin", "Make an administrator, also before the first start");
    admin->add_option("EMAIL", email_)->required();
    admin->add_option("PASSWORD", password_, "6 to 72 bytes")->required();
    admin->add_option("--name", name_, "Name of the account")->capture_default_str();
    on(admin, [this] { return with_shop([this](Connection& shop) { return create_admin(shop, email_, password_, name_); }); });

    auto* importing = app.add_subcommand("import", "Bring a catalogue file into the shop; safe to run again");
    importing->add_option("FILE", file_, "Catalogue, see docs/import-format.md")->required();
    importing->add_option("--images", pictures_, "Folder of the pictures; default: images/ beside the file");
    setting(*importing, "--image-base-url", "IMAGE_BASE_URL", image_base_url_,
            "Address under which clients will reach the shop; one that runs knows its own", format::web_address());
    on(importing, [this] {
      auto text = catalogue_text(file_);
      return text ? with_shop([&](Connection& shop) { return import(shop, std::move(*text), file_, pictures_); }) : 1;
    });

    on(app.add_subcommand("reindex", "Build the search index anew beside the live one"), [this] { return with_shop(reindex); });
    on(app.add_subcommand("rotate-keys", "Sign tokens with a new key; nobody is logged out"), [this] {
      return with_shop([](Connection& shop) { return command(shop, "auth-service", "/internal/rotate-key", "New key in use."); });
    });
    on(app.add_subcommand("migrate", "Bring the stores to this program's version"), [this] {
      return with_shop([](Connection&) { return fmt::print("The stores are up to date.\n"), 0; });
    });
    on(app.add_subcommand("demo", "Load the demo catalogue and accounts (admin@admin.com / password). Never for production"),
       [this] { return with_shop(demo); });
  }

  void declare_those_of_their_own(CLI::App& app) {
    auto* doctoring = app.add_subcommand("doctor", "Examine the stores for lost, doubled or oversold orders (docs/integrity.md)");
    doctor_.declare(*doctoring);
    doctoring->fallthrough();  // how services are reached is said of every command
    on(doctoring, [this] { return run_doctor(doctor_, data_, [this](const auto& use) { mend_with(use); }); });

    auto* letters = app.add_subcommand("dlq", "Events that a consumer gave up: list, show, send again (docs/run-book.md)");
    dlq_.declare(*letters);
    on(letters, [this] { return run_dlq(dlq_, data_); });

    auto* certifying = app.add_subcommand("certs", "Make or renew the certificates by which services know each other (docs/run-book.md)");
    certs_.declare(*certifying);
    on(certifying, [this] { return run_certs(certs_); });

    auto* weighing = app.add_subcommand("weights", "Shares of the traffic for instances and versions (docs/run-book.md)");
    weights_.declare(*weighing);
    on(weighing, [this] { return run_weights(weights_, remote_.consul_host, remote_.consul_port); });
  }

  void on(CLI::App* subcommand, std::function<int()> run) {
    subcommand->callback([this, run = std::move(run)] { chosen_ = run; });
  }

  template <class Use>
  int with_shop(Use use) {
    Connection shop(data_, image_base_url_, remote_);
    return use(shop);
  }

  void mend_with(const std::function<void(OperatorAccess)>& use) {
    if (doctor_.distributed() && !remote_.given()) {
      throw std::runtime_error("To mend, doctor needs to reach the services: give CONSUL_AGENT_HOST, or the address of each (--auth-service-url ...).");
    }
    Connection shop(data_, image_base_url_, remote_);
    shop.stay_with_one("search-service");
    use({shop.caller(), shop.loop()});
  }

  std::string data_ = "./data", image_base_url_ = EmbeddedOptions().image_base_url;
  CLI::Option* folder_ = nullptr;
  RemoteSettings remote_;
  std::string email_, password_, name_ = "Administrator", file_, pictures_;
  DoctorCommand doctor_;
  DlqCommand dlq_;
  CertsCommand certs_;
  WeightsCommand weights_;
  std::function<int()> chosen_;
};

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  CLI::App app{"shopctl: administer a shop.\nCommands work on a data folder, whether or not a shop runs on it, or on a distributed shop.", "shopctl"};
  app.set_version_flag("--version", "shopctl " SHOP_VERSION);
  Commands commands(app);
  if (const int code = parse_settings(app, argc, argv); code >= 0) return code;
  start_log("shopctl", "local", LogLevel::off);
  int code = 1;
  try {
    code = commands.run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "shopctl: {}\n", error.what());
  }
  stop_log();
  return code;
}

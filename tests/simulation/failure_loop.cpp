// The failure loop, as SQLite's tests do it: the n-th call through a port fails, for every n there is. One fault to a run, so what
// breaks has one cause.
#include <cstdio>

#include <fmt/format.h>

#include "apps/importer.hpp"
#include "simulation/run.hpp"

namespace shop::simulation {
namespace {

enum class Operation { place, cancel, adjust, create, sweep, associate, import };
BOOST_DESCRIBE_ENUM(Operation, place, cancel, adjust, create, sweep, associate, import)

constexpr int most_calls = 1000, most_attempts = 6;
constexpr milliseconds aftermath{400};  // the calls of relays, consumers and sweepers after the answer are counted too

// What the n-th call meets. `dies`: it is made, and whoever imports is killed meanwhile.
enum class Fault { none, fails, times_out, unanswered, dies };
BOOST_DESCRIBE_ENUM(Fault, none, fails, times_out, unanswered, dies)

CallFault fault_of_call(Fault fault) {
  switch (fault) {
    case Fault::fails: return CallFault::fails;
    case Fault::times_out: return CallFault::times_out;
    case Fault::unanswered: return CallFault::unanswered;
    case Fault::none:
    case Fault::dies: break;
  }
  return CallFault::none;
}

// New categories and products beside one that is there and gets another name, another price, one more variant and a category.
constexpr std::string_view catalogue = R"({
  "currencies": [{"code": "DZD", "rateVsBase": "135.5"}],
  "categories": [{"slug": "tools", "name": {"en": "Tools"},
                  "children": [{"slug": "saws", "name": {"en": "Saws"}}, {"slug": "files", "name": {"en": "Files"}}]}],
  "products": [
    {"sku": "P-0", "name": {"en": "Renamed"}, "category": "saws",
     "variants": [{"attributes": {"Size": "0"}, "price": "7.25", "stockQuantity": 99}, {"attributes": {"Size": "9"}, "price": "3", "stockQuantity": 4}]},
    {"sku": "IMPORT-1", "name": {"en": "Saw"}, "description": {"en": "Cuts"}, "category": "saws",
     "variants": [{"attributes": {"Teeth": "10"}, "price": "5.50", "stockQuantity": 7},
                  {"attributes": {"Teeth": "20"}, "price": "6", "stockQuantity": 8}]},
    {"sku": "IMPORT-2", "name": {"en": "File"}, "category": "files", "variants": [{"price": "2", "stockQuantity": 1, "lowStockThreshold": 3}]}
  ]})";

class Trial {
 public:
  Trial(Operation operation, Fault fault, int nth, Bug bug)
      : operation_(operation),
        witness_(bug),
        world_({.seed = 1, .reservation_lifetime = milliseconds(500), .index_forgets = bug == Bug::index_forgets}, witness_, &beginning()),
        shoppers_(world_, simulated::Dice(1), 0) {
    witness_.attach(world_);
    world_.planned = [this, fault, nth](std::string_view port) {
      if (!counting_ || ++calls_ != nth) return CallFault::none;
      port_ = port;
      if (fault == Fault::dies) world_.simulation().after(milliseconds(0), simulated::nobody, [this] { kill_importer(); });
      return fault_of_call(fault);
    };
  }

  ~Trial() { kill_importer(); }

  std::vector<std::string> violations() {
    auto& simulation = world_.simulation();
    for (int i = 0; i < 600 && !world_.ready(); ++i) simulation.run_until(simulation.now() + milliseconds(10));
    wait_for(prepare());
    if (operation_ == Operation::sweep) leave_a_reservation();
    counting_ = true;
    if (operation_ == Operation::sweep) definite_ = swept();
    else if (operation_ == Operation::import) definite_ = imported();
    else wait_for(perform());
    simulation.run_until(simulation.now() + aftermath);
    counting_ = false;
    auto out = concluded(world_, shoppers_, witness_);
    if (!definite_) out.push_back("no definite outcome");
    const bool joined = operation_ != Operation::associate || cart_of_customer() == "1 of the first, 5 of the second";
    if (!joined) out.push_back("I3 the cart holds " + cart_of_customer());
    return out;
  }

  // What an import is about, as text: the same after every run that ends.
  std::string imported_catalogue() {
    std::string all;
    for (const char* sql : {"SELECT p.sku, p.name, p.description, v.attributes, v.price, v.stock_quantity, v.low_stock_threshold FROM products p"
                            " LEFT JOIN variants v ON v.product_id = p.id ORDER BY p.sku, v.attributes",
                            "SELECT c.slug, c.name, parent.slug FROM categories c LEFT JOIN categories parent ON parent.id = c.parent_id ORDER BY c.slug",
                            "SELECT p.sku, c.slug FROM product_categories l JOIN products p ON p.id = l.product_id JOIN categories c ON c.id = l.category_id"
                            " ORDER BY p.sku, c.slug",
                            "SELECT code, rate_micros FROM currency_rates ORDER BY code",
                            "SELECT p.sku, m.type, m.change_quantity FROM stock_movements m JOIN variants v ON v.id = m.variant_id"
                            " JOIN products p ON p.id = v.product_id ORDER BY p.sku, v.attributes, m.moved_at, m.id"}) {
      const auto rows = world_.rows("product", sql);
      for (std::size_t i = 0; i < rows.count(); ++i) {
        for (const auto& cell : rows.row(i)) all += (cell_text(cell) + ' ');
        all += '\n';
      }
    }
    return all;
  }

  bool struck() const { return !port_.empty(); }
  const std::string& port() const { return port_; }

 private:
  void wait_for(Task<> task) {
    auto& simulation = world_.simulation();
    done_ = false;
    simulation.spawn(world_.clients(), finish(std::move(task)));
    const auto limit = simulation.now() + minutes(5);
    while (!done_ && simulation.now() < limit && simulation.step()) {}
    if (!done_) throw std::runtime_error("An operation does not end.");
  }

  Task<> finish(Task<> task) {
    co_await std::move(task);
    done_ = true;
  }

  Task<> prepare() {
    co_await shoppers_.log_in();
    if (operation_ == Operation::associate) co_await fill_carts();
    if (operation_ != Operation::cancel) co_return;
    placing_ = &shoppers_.new_placing(true);
    if (!co_await shoppers_.send(*placing_, placing_->body) || placing_->acknowledged.empty()) throw std::runtime_error("There is no order to cancel.");
    co_await world_.clock().sleep(aftermath);
  }

  Task<> perform() {
    if (operation_ == Operation::place) placing_ = &shoppers_.new_placing(true);
    if (operation_ == Operation::adjust) adjusting_ = &shoppers_.new_adjusting();
    for (int i = 0; i < most_attempts && !definite_; ++i) {
      if (i > 0) co_await world_.clock().sleep(milliseconds(50));
      definite_ = co_await attempt();
    }
  }

  // What the client asked for is done: in a world with one fault nothing else is an acceptable end.
  Task<bool> attempt() {
    switch (operation_) {
      case Operation::place: co_return co_await shoppers_.send(*placing_, placing_->body) && !placing_->acknowledged.empty();
      case Operation::cancel:
        (void)co_await shoppers_.cancel(placing_->acknowledged.front().order, placing_->guest_token, {});
        co_return !shoppers_.ledger().told.empty();
      case Operation::adjust: co_return co_await shoppers_.send(*adjusting_) && adjusting_->acknowledged > 0;
      case Operation::create: co_return co_await shoppers_.create_product("LOOP-1", true) && shoppers_.ledger().created_skus.contains("LOOP-1");
      case Operation::associate: co_return co_await shoppers_.associate(*filling_, 0);  // logs in first
      case Operation::sweep:
      case Operation::import: break;
    }
    co_return false;
  }

  // A guest's cart with two lines; the customer has one from before, with the second of them.
  Task<> fill_carts() {
    auto& before = shoppers_.new_filling();
    filling_ = &shoppers_.new_filling();
    const auto& items = beginning().items;
    const bool filled = co_await shoppers_.make(before) && co_await shoppers_.make(*filling_) && co_await shoppers_.associate(before, 0) &&
                        co_await shoppers_.add(before, items[1], 3, 1) && co_await shoppers_.add(*filling_, items[0], 1, 1) &&
                        co_await shoppers_.add(*filling_, items[1], 2, 1);
    if (!filled) throw std::runtime_error("There are no carts to be joined.");
    shoppers_.log_out();
  }

  std::string cart_of_customer() {
    const auto held = [&](std::size_t item) {
      return cell_text(world_.rows("cart",
                                   "SELECT SUM(json_extract(line.value, '$.quantity')) FROM key_values mark JOIN key_values cart"
                                   " ON cart.key = 'cart:' || mark.value, json_each(cart.value, '$.items') line"
                                   " WHERE mark.key LIKE 'cart_user:%' AND json_extract(line.value, '$.variantId') = $1",
                                   {beginning().items[item].variant.text()}).row(0)[0]);
    };
    return fmt::format("{} of the first, {} of the second", held(0), held(1));
  }

  static std::string cell_text(const Value& value) {
    if (const auto* words = std::get_if<std::string>(&value)) return *words;
    if (const auto* digits = std::get_if<std::int64_t>(&value)) return std::to_string(*digits);
    return "null";
  }

  // Runs the import as often as it takes, each time in a process of its own.
  bool imported() {
    auto& simulation = world_.simulation();
    importer_host_ = simulation.add_host("importer");
    shoppers_.ledger().prices[beginning().items[0].variant.text()].push_back({725, simulation.now(), Monotonic::max()});
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      if (!simulation.up(importer_host_)) simulation.start(importer_host_);
      const auto caller = world_.operator_on(importer_host_, [this] { return world_.planned("import"); });
      Importer importer(*caller, world_.clock(), [](const std::string&) { return std::nullopt; });
      std::optional<Result<ImportReport>> report;
      simulation.spawn(importer_host_, run_import(importer, report));
      const auto limit = simulation.now() + minutes(5);
      while (!report && simulation.up(importer_host_) && simulation.now() < limit && simulation.step()) {}
      kill_importer();
      if (report && *report && (*report)->faults.empty()) return true;
    }
    return false;
  }

  static Task<> run_import(Importer& importer, std::optional<Result<ImportReport>>& report) {
    const Context context;
    auto outcome = co_await importer.run(context, std::string(catalogue), [](std::size_t, std::size_t) {});
    report = std::move(outcome);
  }

  void kill_importer() {
    if (importer_host_ == simulated::nobody) return;
    world_.network().forget(importer_host_);
    world_.simulation().forget(importer_host_);
    world_.simulation().destroy(importer_host_);
  }

  std::int64_t held() { return std::get<std::int64_t>(world_.rows("product", "SELECT count(*) FROM reservations WHERE status = 'HELD'").row(0)[0]); }

  // The order service dies between the reservation and the order.
  void leave_a_reservation() {
    auto& placing = shoppers_.new_placing(false);
    auto& simulation = world_.simulation();
    simulation.spawn(world_.clients(), abandoned(placing));
    for (int i = 0; i < 100'000 && held() == 0 && simulation.step(); ++i) {}
    if (held() == 0) throw std::runtime_error("Nothing was reserved.");
    world_.crash(world_.machine_of("order"), simulated::Disk::Failure::process);
    world_.restart(world_.machine_of("order"));
  }

  Task<> abandoned(Placing& placing) { (void)co_await shoppers_.send(placing, placing.body); }

  bool swept() {
    auto& simulation = world_.simulation();
    const auto limit = simulation.now() + seconds(20);
    while (held() > 0 && simulation.now() < limit) simulation.run_until(simulation.now() + milliseconds(50));
    return held() == 0;
  }

  const Operation operation_;
  Witness witness_;
  World world_;
  Shoppers shoppers_;
  Placing* placing_ = nullptr;
  Adjusting* adjusting_ = nullptr;
  Filling* filling_ = nullptr;
  HostId importer_host_ = simulated::nobody;
  bool counting_ = false, done_ = false, definite_ = false;
  int calls_ = 0;
  std::string port_;
};

}  // namespace

bool failure_loop(Bug bug) {
  int broken = 0;
  std::string line;
  for (const auto operation : {Operation::place, Operation::cancel, Operation::adjust, Operation::create, Operation::sweep, Operation::associate,
                               Operation::import}) {
    std::vector<Fault> faults{Fault::fails, Fault::times_out, Fault::unanswered};
    std::string as_wanted;
    if (operation == Operation::import) {
      faults.push_back(Fault::dies);
      Trial undisturbed(operation, Fault::none, 0, bug);
      if (const auto wrong = undisturbed.violations(); !wrong.empty()) throw std::runtime_error("The import fails by itself: " + wrong.front());
      as_wanted = undisturbed.imported_catalogue();
    }
    int calls = 0;
    for (const auto fault : faults) {
      int nth = 0;
      for (bool struck = true; struck;) {
        if (++nth > most_calls) throw std::runtime_error("An operation makes calls without end.");
        Trial trial(operation, fault, nth, bug);
        auto violations = trial.violations();
        if (operation == Operation::import && trial.imported_catalogue() != as_wanted) {
          violations.push_back(fmt::format("I3 the catalogue is\n{}and should be\n{}", trial.imported_catalogue(), as_wanted));
        }
        struck = trial.struck();
        if (violations.empty()) continue;
        ++broken;
        static const std::map<Fault, std::string_view> said{
            {Fault::fails, "fails"}, {Fault::times_out, "times out"}, {Fault::unanswered, "is not answered"}, {Fault::dies, "sees its caller die"}};
        if (broken > 20) continue;
        fmt::print("{}, call {} ({}) {}: {}\n", codec::enum_text(operation), nth, struck ? trial.port() : "none", said.at(fault), violations.front());
      }
      calls = std::max(calls, nth - 1);
    }
    if (calls == 0) throw std::runtime_error("An operation makes no calls.");
    line += fmt::format("{} {} calls x {} faults, ", codec::enum_text(operation), calls, faults.size());
  }
  fmt::print("failure loop: {}{} broken\n", line, broken);
  return broken == 0;
}

}  // namespace shop::simulation

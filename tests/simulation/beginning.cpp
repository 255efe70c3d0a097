// What every simulated world begins with, and the weather that seeds draw.
#include <stdexcept>

#include <fmt/format.h>

#include "codec/json_reader.hpp"
#include "services/auth/api.hpp"
#include "simulation/witness.hpp"

namespace shop::simulation {
namespace {

void expect(bool good, std::string_view what) {
  if (!good) throw std::runtime_error(fmt::format("The simulated shop could not be set up: {}", what));
}

std::string done(World& world, std::string service, std::string target, std::string body) {
  Request request{.method = Method::post, .target = target, .headers = {}, .body = std::move(body), .remote = {}};
  request.headers.add("Content-Type", "application/json");
  const auto answer = world.ask_now(std::move(service), std::move(request));
  expect(answer.status < 300, fmt::format("{} {}", target, answer.text()));
  return std::string(answer.text());
}

Beginning made() {
  Beginning out;
  Witness witness(Bug::none);
  World world({.seed = 0}, witness, nullptr);
  witness.attach(world);
  // An hour before every world begins: the leases of whoever works here have expired by then.
  for (std::size_t i = 0; i < world.machines(); ++i) world.simulation().set_skew(world.host(i), -hours(1));
  for (int i = 0; i < 1000 && !world.ready(); ++i) world.simulation().run_until(world.simulation().now() + milliseconds(100));
  expect(world.ready(), "services do not become ready");

  std::string accounts = fmt::format(R"({{"name":"Admin","email":"{}","password":"{}","role":"ADMIN"}})", out.admin_email, out.password);
  for (int i = 1; i <= 3; ++i) {
    accounts += fmt::format(R"(,{{"name":"Customer {}","email":"customer{}@example.com","password":"{}","role":"Customer"}})", i, i, out.password);
  }
  const auto created = codec::from_json<auth::CreatedAccounts>(done(world, "auth-service", "/internal/accounts", "{\"accounts\":[" + accounts + "]}"));
  expect(created && created->created.size() == 4, "accounts");
  for (int i = 1; i <= 3; ++i) {
    out.customers.emplace_back(fmt::format("customer{}@example.com", i), created->created[static_cast<std::size_t>(i)].text());
  }
  done(world, "product-service", "/currencies", R"({"code":"EUR","rateVsBase":"0.9"})");
  for (int p = 0; p < 4; ++p) {
    std::string variants;
    for (int v = 0; v < 2; ++v) {
      variants += fmt::format(R"({}{{"price":"{}.50","initialStockQuantity":{},"attributes":{{"Size":"{}"}}}})", v ? "," : "", 10 * p + v + 1, 12 + 30 * p, v);
    }
    done(world, "product-service", "/", fmt::format(R"({{"sku":"P-{}","name":{{"en":"Product {}"}},"variants":[{}]}})", p, p, variants));
  }
  world.simulation().run_until(world.simulation().now() + seconds(5));
  const auto rows = world.rows("product", "SELECT id, product_id, price, stock_quantity FROM variants ORDER BY created_at, id");
  for (std::size_t i = 0; i < rows.count(); ++i) {
    const auto row = rows.row(i);
    out.items.push_back({*ProductId::parse(std::get<std::string>(row[1])), *VariantId::parse(std::get<std::string>(row[0])),
                         std::get<std::int64_t>(row[2]), std::get<std::int64_t>(row[3])});
  }
  expect(out.items.size() == 8, "catalogue");
  expect(world.engine().complete && world.engine().live.documents().size() == 4, "index");
  out.engine = world.engine();
  out.disks = world.close();
  return out;
}

}  // namespace

const Beginning& beginning() {
  static const Beginning once = made();
  return once;
}

Weather calm() { return {}; }

// Each run has some kinds of faults and not others, weak or strong: all at once would hide one behind another.
Weather drawn(simulated::Dice& dice) {
  Weather w;
  const auto some = [&](unsigned most) { return dice.chance(500) ? static_cast<unsigned>(dice.below(most)) : 0U; };
  w.network = {some(60), some(60), some(60), some(60), some(60), some(60), milliseconds(3), milliseconds(4000)};
  w.database = {some(40), some(40), some(40), some(60), some(40), milliseconds(2), milliseconds(2000)};
  w.events = {some(100), some(100), some(60), some(100), some(100)};
  w.index = {some(60), some(100), some(60)};
  w.flush_failures = dice.chance(300) ? static_cast<unsigned>(dice.below(20)) : 0U;
  w.crashes = dice.chance(600) ? static_cast<int>(dice.below(6)) : 0;
  w.full_disks = dice.chance(150) ? 1 : 0;
  w.clock_jumps = dice.chance(250) ? 2 : 0;
  w.lost_indexes = dice.chance(200) ? 1 : 0;
  w.power = dice.chance(500);
  w.advice_lost = some(300);
  return w;
}

}  // namespace shop::simulation

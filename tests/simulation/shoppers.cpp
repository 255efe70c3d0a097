#include "simulation/shoppers.hpp"

#include <charconv>

#include <fmt/format.h>

#include "codec/json_reader.hpp"

namespace shop::simulation {
namespace {

namespace json = boost::json;

constexpr milliseconds patience{10'000};
constexpr milliseconds tokens_live_on{5'000};  // at most, after an account was deactivated

std::string text_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

json::object object_of(const std::string& body) {
  json::error_code error;
  auto value = json::parse(body, error);
  return !error && value.is_object() ? value.get_object() : json::object();
}

// An amount as the shop writes it, a decimal as text or number, in minor units.
std::int64_t minor_of(const json::value* value) {
  if (!value) return -1;
  if (!value->is_string()) return std::llround(value->to_number<double>() * 100);
  const auto price = Price::parse(std::string_view(value->get_string()));
  return price ? price->minor : -1;
}

std::string decimal(std::int64_t minor) { return fmt::format("{}.{:02}", minor / 100, minor % 100); }

bool final(int status) { return status >= 200 && status < 500 && status != 429 && status != 401; }

}  // namespace

Shoppers::Shoppers(World& world, Dice dice, int operations) : world_(world), dice_(dice), left_(operations) {
  for (const auto& item : beginning().items) ledger_.prices[item.variant.text()] = {{item.price_minor, Monotonic::min(), Monotonic::min()}};
  for (const auto& [email, id] : beginning().customers) accounts_.push_back({email, id, {}, {}, false});
}

void Shoppers::open() {
  constexpr int at_once = 6;
  for (int i = 0; i < at_once; ++i) {
    ++running_;
    world_.simulation().spawn(world_.clients(), shop(dice_.split()));
  }
}

Task<> Shoppers::shop(Dice dice) {
  while (left_ > 0) {
    --left_;
    co_await act(dice);
    co_await world_.clock().sleep(dice.between(milliseconds(0), milliseconds(120)));
  }
  --running_;
}

Task<> Shoppers::act(Dice& dice) {
  const auto n = dice.below(100);
  if (n < 36) co_await place(dice);
  else if (n < 46) co_await cancel_some(dice);
  else if (n < 51) co_await advance_some(dice);
  else if (n < 59) co_await adjust(dice);
  else if (n < 66) (void)co_await set_price(dice.below(beginning().items.size()));
  else if (n < 68) co_await toggle_product(dice);
  else if (n < 74) co_await read_product(dice);
  else if (n < 78) co_await read_order(dice);
  else if (n < 80) co_await register_somebody(dice);
  else if (n < 83) co_await change_account(dice);
  else if (n < 87) co_await review(dice);
  else if (n < 96) co_await use_cart(dice);
  else if (n < 98) co_await search();
  else (void)co_await create_product(fmt::format("SIM-{}", ++numbers_), dice.chance(500));
}

// --- requests

Task<Shoppers::Answer> Shoppers::ask(std::string service, Method method, std::string target, std::string token, std::string body, std::string key) {
  Context context;
  context.deadline = world_.simulation().now() + patience;
  context.request_id = fmt::format("request-{}", ++numbers_);
  Request request{.method = method, .target = std::move(target), .headers = {}, .body = std::move(body), .remote = "198.51.100.7"};
  if (!request.body.empty()) request.headers.add("Content-Type", "application/json");
  if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
  if (!key.empty()) request.headers.add("Idempotency-Key", key);
  const std::string what = fmt::format("{} {}{}", name_of(method), service, request.path());
  auto response = co_await world_.ask(context, service + "-service", std::move(request));
  const Answer answer = response ? Answer{response->status, std::string(response->text())} : Answer{};
  world_.simulation().trace(static_cast<std::uint64_t>(answer.status));
  ++ledger_.statuses[answer.status];
  const bool misunderstood = answer.status == 400 && answer.body.find("INVALID_INPUT") != std::string::npos;
  if (answer.status == 500 || misunderstood) complain(what + " answered " + answer.body);
  co_return answer;
}

Task<std::string> Shoppers::token_of(std::string email) {
  const auto answer = co_await ask("auth", Method::post, "/login", {}, fmt::format(R"({{"email":"{}","password":"{}"}})", email, beginning().password));
  co_return answer.status == 200 ? text_at(object_of(answer.body), "token") : std::string();
}

Task<> Shoppers::log_in() {
  for (int attempt = 0; attempt < 20 && admin_token_.empty(); ++attempt) {
    admin_token_ = co_await token_of(beginning().admin_email);
    if (admin_token_.empty()) co_await world_.clock().sleep(milliseconds(200));
  }
}

Task<Shoppers::Answer> Shoppers::as_admin(std::string service, Method method, std::string target, std::string body, std::string key) {
  if (admin_token_.empty()) admin_token_ = co_await token_of(beginning().admin_email);
  if (admin_token_.empty()) co_return Answer{};
  auto answer = co_await ask(service, method, target, admin_token_, body, key);
  if (answer.status == 401) admin_token_.clear();  // a clock jumped beyond its hour
  co_return answer;
}

// --- placing

Placing& Shoppers::new_placing(bool keyed) {
  Lines lines(1 + dice_.below(4));
  const auto& items = beginning().items;
  for (auto& [variant, quantity] : lines) {
    variant = items[dice_.below(dice_.chance(600) ? 3 : items.size())].variant.text();
    quantity = 1 + static_cast<std::int64_t>(dice_.below(4));
  }
  return new_placing(keyed, std::move(lines));
}

Placing& Shoppers::new_placing(bool keyed, Lines lines) {
  auto& placing = ledger_.placings.emplace_back();
  placing.number = ++numbers_;
  if (keyed) placing.key = fmt::format("key-{}", placing.number);
  placing.buyer = fmt::format("guest{}@example.com", placing.number);
  placing.lines = std::move(lines);
  const auto body = [&](std::int64_t more) {
    std::string wanted;
    for (const auto& [variant, quantity] : placing.lines) {
      wanted += fmt::format(R"({}{{"variantId":"{}","quantity":{}}})", wanted.empty() ? "" : ",", variant, quantity + more);
    }
    return fmt::format(R"({{"guestEmail":"{}","guestName":"Guest","phone":"sim-{}","paymentMethod":"CASH_ON_DELIVERY","items":[{}]}})",
                       placing.buyer, placing.number, wanted);
  };
  placing.body = body(0);
  placing.changed_body = body(1);
  return placing;
}

Task<bool> Shoppers::send(Placing& placing, const std::string& body) {
  const auto sent = world_.simulation().now();
  if (placing.sent++ == 0) placing.first_sent = sent;
  placing.open = true;
  Account* account = nullptr;
  if (!placing.token.empty()) {
    account = &*std::ranges::find(accounts_, placing.token, &Account::email);
    if (account->token.empty()) account->token = co_await token_of(account->email);
    if (account->token.empty()) co_return false;
  }
  const auto answer = co_await ask("order", Method::post, "/", account ? account->token : std::string(), body, placing.key);
  placing.last_answer = world_.simulation().now();
  if (answer.status == 401 && account) account->token.clear();
  if (body != placing.body) {
    if (answer.status == 201) complain(fmt::format("order {}: another body under the same key was accepted", placing.number));
    placing.open = placing.acknowledged.empty();
    co_return final(answer.status);
  }
  if (answer.status == 201) {
    const auto order = object_of(answer.body);
    Acknowledged seen{text_at(order, "id"), minor_of(order.if_contains("totalAmount")), {}};
    placing.guest_token = text_at(order, "guest_token");
    std::int64_t sum = 0;
    std::vector<std::pair<std::string, std::int64_t>> lines;
    if (const auto* items = order.if_contains("items"); items && items->is_array()) {
      for (const auto& item : items->get_array()) {
        const auto& line = item.as_object();
        const auto price = minor_of(line.if_contains("priceAtTimeOfOrder"));
        seen.prices.emplace_back(text_at(line, "variantId"), price);
        lines.emplace_back(text_at(line, "variantId"), line.at("quantity").to_number<std::int64_t>());
        sum += price * lines.back().second;
      }
    }
    if (sum != seen.total_minor) complain(fmt::format("order {}: the lines sum to {}, the total is {}", placing.number, sum, seen.total_minor));
    if (lines != placing.lines) complain(fmt::format("order {}: the lines are not those that were ordered", placing.number));
    if (account && account->deactivated && !account->touched && account->activating == 0 && *account->deactivated + tokens_live_on < sent) {
      complain(fmt::format("order {}: placed by an account that was deactivated long before", placing.number));
    }
    for (const auto& [variant, minor] : seen.prices) {
      if (price_possible(variant, minor, placing.first_sent, placing.last_answer)) continue;
      complain(fmt::format("I8 order {}: variant {} at {}, which was not its price then", placing.number, variant, minor));
    }
    placing.acknowledged.push_back(std::move(seen));
  }
  if (final(answer.status)) placing.open = false;
  co_return final(answer.status);
}

Task<> Shoppers::send_often(Placing& placing, int attempts) {
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (co_await send(placing, placing.body)) co_return;
    co_await world_.clock().sleep(milliseconds(50 << attempt));
  }
}

Task<> Shoppers::send_beside(Placing& placing) {
  co_await send_often(placing, 3);
  --running_;
}

Task<> Shoppers::place(Dice& dice) {
  ++ledger_.done["place"];
  auto& placing = new_placing(dice.chance(750));
  if (dice.chance(300)) placing.token = accounts_[dice.below(accounts_.size())].email;
  if (placing.key.empty()) {
    (void)co_await send(placing, placing.body);
    co_return;
  }
  if (dice.chance(150)) {
    ++ledger_.done["place twice at once"];
    ++running_;
    world_.simulation().spawn(world_.clients(), send_beside(placing));
  }
  co_await send_often(placing, 3);
  if (placing.acknowledged.empty() && !placing.open && dice.chance(300)) {
    ++ledger_.done["place again what was refused"];
    co_await send_often(placing, 2);
  }
  if (!placing.acknowledged.empty() && dice.chance(60)) {
    ++ledger_.done["another body under the same key"];
    (void)co_await send(placing, placing.changed_body);
  }
  if (!placing.acknowledged.empty() && dice.chance(100)) {
    ++ledger_.done["place again"];
    (void)co_await send(placing, placing.body);
  }
}

// --- changing orders

Task<bool> Shoppers::cancel(const std::string& order, const std::string& guest_token, const std::string& token) {
  const auto answer = co_await ask("order", Method::post, fmt::format("/{}/cancel?guest_token={}", order, guest_token), token, {});
  if (answer.status == 200) {
    const auto state = text_at(object_of(answer.body), "status");
    if (state != "CANCELLED") complain("a cancelled order is shown as " + state);
    ledger_.told.push_back({order, "CANCELLED"});
  }
  co_return final(answer.status);
}

Task<> Shoppers::cancel_some(Dice& dice) {
  if (ledger_.placings.empty()) co_return;
  auto& placing = ledger_.placings[dice.below(ledger_.placings.size())];
  if (placing.acknowledged.empty()) co_return;
  ++ledger_.done["cancel"];
  const auto order = placing.acknowledged.front().order;
  const int attempts = dice.chance(300) ? 2 : 1;
  for (int i = 0; i < attempts; ++i) (void)co_await cancel(order, placing.guest_token, {});
}

Task<> Shoppers::advance_some(Dice& dice) {
  if (ledger_.placings.empty()) co_return;
  const auto& placing = ledger_.placings[dice.below(ledger_.placings.size())];
  if (placing.acknowledged.empty()) co_return;
  ++ledger_.done["change status"];
  const auto order = placing.acknowledged.front().order;
  static constexpr std::array states{"PAID", "SHIPPED", "DELIVERED", "FAILED", "CANCELLED"};
  const std::string state = states[dice.below(states.size())];
  const auto answer = co_await as_admin("order", Method::put, fmt::format("/{}/status", order), fmt::format(R"({{"status":"{}"}})", state));
  if (answer.status == 200) ledger_.told.push_back({order, state});
}

// --- the catalogue

Adjusting& Shoppers::new_adjusting() {
  auto& adjusting = ledger_.adjustings.emplace_back();
  adjusting.number = ++numbers_;
  adjusting.key = fmt::format("adjust-{}", adjusting.number);
  adjusting.variant = beginning().items[dice_.below(beginning().items.size())].variant.text();
  adjusting.change = dice_.chance(700) ? 1 + static_cast<std::int64_t>(dice_.below(20)) : -1 - static_cast<std::int64_t>(dice_.below(10));
  return adjusting;
}

Task<bool> Shoppers::send(Adjusting& adjusting) {
  ++adjusting.sent;
  adjusting.open = true;
  const auto answer = co_await as_admin("product", Method::post, "/stock/adjust/" + adjusting.variant,
                                        fmt::format(R"({{"changeQuantity":{},"type":"ADJUSTMENT","reason":"adjust-{}"}})", adjusting.change, adjusting.number),
                                        adjusting.key);
  if (answer.status == 201) ++adjusting.acknowledged;
  if (final(answer.status)) adjusting.open = false;
  co_return final(answer.status);
}

Task<> Shoppers::adjust(Dice& dice) {
  ++ledger_.done["adjust stock"];
  auto& adjusting = new_adjusting();
  if (dice.chance(300)) adjusting.key.clear();
  const int attempts = adjusting.key.empty() ? 1 : 3;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (co_await send(adjusting)) break;
    co_await world_.clock().sleep(milliseconds(50));
  }
  if (!adjusting.key.empty() && dice.chance(100)) (void)co_await send(adjusting);
}

Task<bool> Shoppers::set_price(std::size_t item) {
  ++ledger_.done["set price"];
  const auto variant = beginning().items[item].variant.text();
  auto& sets = ledger_.prices[variant];
  const auto minor = 100 + static_cast<std::int64_t>(dice_.below(100'000));
  const auto index = sets.size();
  sets.push_back({minor, world_.simulation().now(), Monotonic::max()});
  const auto answer = co_await as_admin("product", Method::put, "/variants/" + variant, fmt::format(R"({{"price":"{}"}})", decimal(minor)));
  if (answer.status == 200) ledger_.prices[variant][index].answered = world_.simulation().now();
  co_return final(answer.status);
}

bool Shoppers::price_possible(const std::string& variant, std::int64_t minor, Monotonic from, Monotonic to) const {
  const auto known = ledger_.prices.find(variant);
  if (known == ledger_.prices.end()) return true;
  return std::ranges::any_of(known->second, [&](const PriceSet& set) {
    if (set.minor != minor || set.sent > to) return false;
    return std::ranges::none_of(known->second, [&](const PriceSet& later) { return later.sent > set.answered && later.answered < from; });
  });
}

Task<> Shoppers::toggle_product(Dice& dice) {
  ++ledger_.done["show or hide a product"];
  const auto& item = beginning().items[dice.below(beginning().items.size())];
  (void)co_await as_admin("product", Method::put, "/" + item.product.text(), dice.chance(800) ? R"({"isActive":true})" : R"({"isActive":false})");
}

Task<> Shoppers::read_product(Dice& dice) {
  ++ledger_.done["read a product"];
  const auto& item = beginning().items[dice.below(beginning().items.size())];
  const auto from = world_.simulation().now();
  const auto answer = co_await ask("product", Method::get, "/id/" + item.product.text(), {}, {});
  if (answer.status != 200) co_return;
  const auto product = object_of(answer.body);
  for (const auto& each : product.at("data").at("variants").as_array()) {
    const auto& variant = each.as_object();
    const auto id = text_at(variant, "id");
    if (variant.at("stockQuantity").to_number<std::int64_t>() < 0) complain("a stock below zero is shown");
    if (!price_possible(id, minor_of(variant.if_contains("price")), from, world_.simulation().now())) {
      complain(fmt::format("I7 variant {} is shown at a price it does not have any more", id));
    }
  }
}

Task<bool> Shoppers::create_product(const std::string& sku, bool retry) {
  ++ledger_.done["create a product"];
  for (int attempt = 0; attempt < (retry ? 3 : 1); ++attempt) {
    const auto body = fmt::format(R"({{"sku":"{}","name":{{"en":"{}"}},"variants":[{{"price":"5","initialStockQuantity":3}}]}})", sku, sku);
    const auto answer = co_await as_admin("product", Method::post, "/", body);
    if (answer.status == 201) ledger_.created_skus.insert(sku);
    if (answer.status == 409 && attempt > 0) ledger_.created_skus.insert(sku);  // an earlier try did it
    if (final(answer.status)) co_return true;
  }
  co_return false;
}

// --- orders as they are shown

Task<> Shoppers::read_order(Dice& dice) {
  if (ledger_.placings.empty()) co_return;
  const auto& placing = ledger_.placings[dice.below(ledger_.placings.size())];
  if (placing.acknowledged.empty()) co_return;
  ++ledger_.done["read an order"];
  const auto& seen = placing.acknowledged.front();
  const auto order = seen.order;
  const auto total = seen.total_minor;
  const auto answer = co_await ask("order", Method::get, fmt::format("/{}?guest_token={}", order, placing.guest_token), {}, {});
  if (answer.status == 404) complain("I3 an acknowledged order is not found: " + order);
  if (answer.status != 200) co_return;
  const auto shown = object_of(answer.body);
  if (minor_of(shown.if_contains("totalAmount")) != total) complain("an order changed its total: " + order);
}

// --- carts

Task<std::string> Shoppers::token_for(std::string email) {
  auto& account = *std::ranges::find(accounts_, email, &Account::email);
  if (account.token.empty()) account.token = co_await token_of(account.email);
  co_return account.token;
}

void Shoppers::log_out() {
  for (auto& account : accounts_) account.token.clear();
}

Filling& Shoppers::new_filling() {
  auto& filling = ledger_.fillings.emplace_back();
  filling.id = dice_.uuid4().text();
  return filling;
}

Task<bool> Shoppers::make(Filling& filling) {
  const auto answer = co_await ask("cart", Method::get, "/" + filling.id, {}, {});
  filling.made = answer.status == 200 || answer.status == 201;
  co_return filling.made;
}

// More than one attempt goes under one key, and is one line however many arrive.
Task<bool> Shoppers::add(Filling& filling, const Beginning::Item& item, std::int64_t quantity, int attempts) {
  const auto key = attempts > 1 ? fmt::format("line-{}", ++numbers_) : std::string();
  auto& [acknowledged, sent] = filling.lines[item.variant.text()];
  sent += quantity;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const auto token = filling.email.empty() ? std::string() : co_await token_for(filling.email);
    const auto answer = co_await ask("cart", Method::post, "/" + filling.id + "/items", token,
                                     fmt::format(R"({{"productId":"{}","variantId":"{}","quantity":{},"price":1}})", item.product.text(),
                                                 item.variant.text(), quantity), key);
    if (answer.status == 200) {
      acknowledged += quantity;
      co_return true;
    }
    if (final(answer.status)) co_return false;  // hidden goods, or the cart has become part of another
    co_await world_.clock().sleep(milliseconds(50 << attempt));
  }
  co_return false;
}

Task<bool> Shoppers::associate(Filling& filling, std::size_t number) {
  auto& account = accounts_[number];
  filling.email = account.email;
  filling.customer = account.id;
  const auto token = co_await token_for(account.email);
  if (token.empty()) co_return false;
  const auto answer = co_await ask("cart", Method::post, "/associate", token, fmt::format(R"({{"cartId":"{}","userId":"{}"}})", filling.id, account.id));
  if (answer.status == 401) account.token.clear();
  if (answer.status == 200) filling.associated = true;
  co_return answer.status == 200;
}

Task<> Shoppers::associate_often(Filling& filling, std::size_t account) {
  ++ledger_.done["associate a cart"];
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (co_await associate(filling, account)) co_return;
    co_await world_.clock().sleep(milliseconds(50));
  }
}

Task<> Shoppers::associate_beside(Filling& filling, std::size_t account) {
  co_await associate_often(filling, account);
  --running_;
}

Task<> Shoppers::use_cart(Dice& dice) {
  auto& fillings = ledger_.fillings;
  if (fillings.empty() || dice.chance(250)) {
    ++ledger_.done["open a cart"];
    auto& filling = new_filling();
    for (int attempt = 0; attempt < 3 && !filling.made; ++attempt) (void)co_await make(filling);
    co_return;
  }
  auto& filling = fillings[fillings.size() - 1 - dice.below(std::min<std::size_t>(fillings.size(), 6))];
  if (!filling.made) co_return;
  if (filling.customer.empty() && dice.chance(400)) {
    // On two devices at once, now and then.
    const auto account = dice.below(accounts_.size());
    const auto other = std::ranges::find_if(fillings, [&](const Filling& each) { return &each != &filling && each.made && each.customer.empty(); });
    if (other != fillings.end() && dice.chance(500)) {
      ++running_;
      world_.simulation().spawn(world_.clients(), associate_beside(*other, account));
    }
    co_await associate_often(filling, account);
    co_return;
  }
  ++ledger_.done["put into a cart"];
  (void)co_await add(filling, beginning().items[dice.below(beginning().items.size())], 1 + static_cast<std::int64_t>(dice.below(3)),
                     dice.chance(750) ? 3 : 1);
}

Task<> Shoppers::search() {
  ++ledger_.done["search"];
  const auto answer = co_await ask("search", Method::get, "/products?q=product&limit=100", {}, {});
  if (answer.status != 200) co_return;
  for (const auto& hit : object_of(answer.body).at("data").as_array()) {
    for (const auto& variant : hit.at("variants").as_array()) {
      if (variant.at("stockQuantity").to_number<std::int64_t>() < 0) complain("a stock below zero is found");
    }
  }
}

// --- accounts

Task<> Shoppers::register_somebody(Dice& dice) {
  ++ledger_.done["register"];
  const auto email = fmt::format("somebody{}@example.com", ++numbers_);
  const auto body = fmt::format(R"({{"name":"Somebody","email":"{}","password":"{}"}})", email, beginning().password);
  ledger_.registered[email] = false;
  for (int attempt = 0; attempt < (dice.chance(500) ? 3 : 1); ++attempt) {
    const auto answer = co_await ask("auth", Method::post, "/register", {}, body);
    if (answer.status == 409 && attempt == 0) complain("a new e-mail address is taken");
    if (answer.status == 201 || answer.status == 409) {
      ledger_.registered[email] = true;
      break;
    }
  }
}

Task<> Shoppers::change_account(Dice& dice) {
  auto& account = accounts_[dice.below(accounts_.size())];
  const auto what = account.deactivated ? 1 : dice.below(3);
  if (what == 0) {
    ++ledger_.done["deactivate an account"];
    const auto activations = account.activations;
    const bool alone = account.activating == 0;  // beside an activation nobody knows which of the two came last
    const auto answer = co_await as_admin("auth", Method::del, "/users/" + account.id, {});
    if (answer.status == 204 && alone && account.activations == activations) account.deactivated = world_.simulation().now();
    if (!final(answer.status)) account.touched = true;
  } else if (what == 1) {
    ++ledger_.done["activate an account"];
    account.deactivated.reset();
    ++account.activations;
    ++account.activating;
    const auto answer = co_await as_admin("auth", Method::post, "/users/" + account.id + "/activate", {});
    account.deactivated.reset();
    --account.activating;
    if (!final(answer.status)) account.touched = true;
  } else {
    ++ledger_.done["rename an account"];
    (void)co_await as_admin("auth", Method::put, "/users/" + account.id, fmt::format(R"({{"name":"Name {}"}})", ++numbers_));
  }
}

// --- what another service tells

Task<> Shoppers::review(Dice& dice) {
  const auto product = beginning().items[dice.below(beginning().items.size())].product.text();
  if (!reviewing_.insert(product).second) co_return;
  ++ledger_.done["review"];
  const auto number = ++ledger_.reviews[product];
  ++ledger_.review_events[product];
  const auto at = world_.clock().wall();
  const EventRecord record{"review_events", product,
                           fmt::format(R"({{"type":"REVIEW_UPDATED","payload":{{"productId":"{}","averageRating":{},"reviewCount":{}}},)"
                                       R"("timestamp":"{}","sourceService":"review-service","eventId":"{}","version":{}}})",
                                       product, 1 + number % 5, number, at.text(), dice.uuid7(at).text(), number),
                           {}};
  for (int attempt = 0; attempt < 1000; ++attempt) {
    if (co_await world_.client_events().publish(Context{}, {record})) break;
    co_await world_.clock().sleep(milliseconds(100));
  }
  reviewing_.erase(product);
}

// --- in fine weather

void Shoppers::resume() {
  ++running_;
  world_.simulation().spawn(world_.clients(), ask_again());
}

void Shoppers::look() {
  ++running_;
  world_.simulation().spawn(world_.clients(), look_around());
}

Task<> Shoppers::ask_again() {
  for (auto& placing : ledger_.placings) {
    if (placing.key.empty() || !placing.open) continue;
    for (int attempt = 0; attempt < 10 && placing.open; ++attempt) {
      // An account that is gone can end nothing, and needs to end nothing.
      if (!placing.token.empty() && attempt > 2) break;
      if (!co_await send(placing, placing.body)) co_await world_.clock().sleep(milliseconds(500));
    }
    if (placing.open && placing.token.empty()) complain(fmt::format("order {}: no answer even in fine weather", placing.number));
  }
  for (auto& adjusting : ledger_.adjustings) {
    if (adjusting.key.empty() || !adjusting.open) continue;
    for (int attempt = 0; attempt < 10 && adjusting.open; ++attempt) {
      if (!co_await send(adjusting)) co_await world_.clock().sleep(milliseconds(500));
    }
    if (adjusting.open) complain(fmt::format("adjustment {}: no answer even in fine weather", adjusting.number));
  }
  for (auto& filling : ledger_.fillings) {
    if (filling.customer.empty() || filling.associated) continue;
    const auto account = std::ranges::find(accounts_, filling.email, &Account::email) - accounts_.begin();
    for (int attempt = 0; attempt < 3; ++attempt) {  // an account that is gone need not have it
      if (co_await associate(filling, static_cast<std::size_t>(account))) break;
      co_await world_.clock().sleep(milliseconds(500));
    }
  }
  --running_;
}

Task<> Shoppers::look_around() {
  admin_token_.clear();  // it has expired: to the shop hours have passed
  for (const auto& item : beginning().items) {
    const auto from = world_.simulation().now();
    const auto answer = co_await as_admin("product", Method::get, "/id/" + item.product.text(), {});
    if (answer.status != 200) {
      complain(fmt::format("product {} cannot be read in fine weather: {}", item.product.text(), answer.status));
      continue;
    }
    const auto product = object_of(answer.body);
    for (const auto& each : product.at("data").at("variants").as_array()) {
      const auto& variant = each.as_object();
      const auto id = text_at(variant, "id");
      const auto rows = world_.rows("product", "SELECT price, stock_quantity FROM variants WHERE id = $1", {id});
      if (rows.count() != 1) continue;
      const auto price = std::get<std::int64_t>(rows.row(0)[0]), stock = std::get<std::int64_t>(rows.row(0)[1]);
      if (minor_of(variant.if_contains("price")) != price) complain(fmt::format("I7 variant {} is shown at an old price", id));
      if (variant.at("stockQuantity").to_number<std::int64_t>() != stock) complain(fmt::format("I7 variant {} is shown with an old stock", id));
      if (!price_possible(id, price, from, from)) complain(fmt::format("I8 variant {} has a price that was replaced", id));
    }
  }
  --running_;
}

}  // namespace shop::simulation

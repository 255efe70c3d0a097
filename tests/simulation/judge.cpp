// The invariants of docs/integrity.md, read from the stores themselves.
#include <fmt/format.h>

#include "codec/json_reader.hpp"
#include "services/cart/api.hpp"
#include "services/search/clients.hpp"
#include "simulation/run.hpp"

namespace shop::simulation {
namespace {

std::string text(const Value& value) {
  if (const auto* s = std::get_if<std::string>(&value)) return *s;
  if (const auto* i = std::get_if<std::int64_t>(&value)) return std::to_string(*i);
  return "null";
}

std::int64_t number(const Value& value) {
  const auto* i = std::get_if<std::int64_t>(&value);
  return i ? *i : 0;
}

class Judge {
 public:
  Judge(World& world, const Ledger& ledger, const Witness& witness) : world_(world), ledger_(ledger), witness_(witness) {}

  std::vector<std::string> all() {
    for (const auto& complaint : ledger_.complaints) say(complaint);
    for (const auto& fault : witness_.lock_faults()) say("deadlock: locked in both orders: " + fault);
    stock();
    sold();
    acknowledged();
    keys();
    reservations();
    events();
    copies();
    prices();
    effects();
    carts();
    index();
    for (const auto* store : {"auth", "product", "order", "events", "cart"}) world_.simulation().trace(dump(store));
    return std::move(found_);
  }

 private:
  void say(std::string violation) { found_.push_back(std::move(violation)); }

  // One violation for every row that the statement finds.
  void none(std::string_view invariant, const std::string& store, std::string_view sql) {
    const auto rows = world_.rows(store, sql);
    for (std::size_t i = 0; i < std::min<std::size_t>(rows.count(), 3); ++i) {
      std::string line(invariant);
      for (const auto& cell : rows.row(i)) line += " " + text(cell);
      say(std::move(line));
    }
  }

  void stock() {
    none("I1 variant, stock, sum of movements:", "product",
         "SELECT v.id, v.stock_quantity, COALESCE(SUM(m.change_quantity), 0) FROM variants v LEFT JOIN stock_movements m ON m.variant_id = v.id"
         " GROUP BY v.id HAVING v.stock_quantity <> COALESCE(SUM(m.change_quantity), 0) OR v.stock_quantity < 0");
    std::map<std::string, const Adjusting*> known;
    std::map<std::string, std::int64_t> times;
    const auto rows = world_.rows("product", "SELECT reason, variant_id, change_quantity FROM stock_movements WHERE type = 'ADJUSTMENT'");
    for (std::size_t i = 0; i < rows.count(); ++i) ++times[text(rows.row(i)[0])];
    for (const auto& adjusting : ledger_.adjustings) {
      const auto stored = times[fmt::format("adjust-{}", adjusting.number)];
      const bool keyed = !adjusting.key.empty();
      if (adjusting.acknowledged > 0 && stored == 0) say(fmt::format("I3 adjustment {} was acknowledged and is not there", adjusting.number));
      if (stored <= (keyed ? 1 : adjusting.sent)) continue;
      say(fmt::format("I4 adjustment {} was sent {} times and done {} times", adjusting.number, adjusting.sent, stored));
    }
  }

  // By order and variant: what the order has sold is what its movements took, once, and gave back, once.
  void sold() {
    std::map<std::pair<std::string, std::string>, std::int64_t> sold, moved;
    const auto items = world_.rows("order",
                                   "SELECT i.order_id, i.variant_id, SUM(CASE WHEN o.status IN ('CANCELLED', 'FAILED') THEN 0 ELSE i.quantity END)"
                                   " FROM order_items i JOIN orders o ON o.id = i.order_id GROUP BY i.order_id, i.variant_id");
    for (std::size_t i = 0; i < items.count(); ++i) sold[{text(items.row(i)[0]), text(items.row(i)[1])}] = number(items.row(i)[2]);
    const auto movements = world_.rows("product",
                                       "SELECT related_order_id, variant_id, -SUM(change_quantity) FROM stock_movements"
                                       " WHERE type IN ('ORDER', 'ORDER_CANCELLED') GROUP BY related_order_id, variant_id");
    for (std::size_t i = 0; i < movements.count(); ++i) moved[{text(movements.row(i)[0]), text(movements.row(i)[1])}] = number(movements.row(i)[2]);
    for (const auto& [key, quantity] : sold) {
      if (moved[key] != quantity) say(fmt::format("I2 order {} variant {}: sold {}, moved {}", key.first, key.second, quantity, moved[key]));
    }
    for (const auto& [key, quantity] : moved) {
      if (!sold.contains(key) && quantity != 0) say(fmt::format("I2 order {} does not exist and holds {} of {}", key.first, quantity, key.second));
    }
  }

  void acknowledged() {
    std::map<std::string, std::pair<std::string, std::int64_t>> orders;  // status, total
    const auto rows = world_.rows("order", "SELECT id, status, total_minor FROM orders");
    for (std::size_t i = 0; i < rows.count(); ++i) orders[text(rows.row(i)[0])] = {text(rows.row(i)[1]), number(rows.row(i)[2])};
    for (const auto& placing : ledger_.placings) {
      for (const auto& seen : placing.acknowledged) {
        const auto order = orders.find(seen.order);
        if (order == orders.end()) say(fmt::format("I3 order {} was acknowledged and is not there", seen.order));
        else if (order->second.second != seen.total_minor) say(fmt::format("I3 order {} has another total than was acknowledged", seen.order));
      }
    }
    for (const auto& told : ledger_.told) {
      const auto order = orders.find(told.order);
      if (order == orders.end()) continue;
      const auto& state = order->second.first;
      const bool fits = told.state == state || (told.state == "PAID" && state != "PENDING" && state != "FAILED") ||
                        (told.state == "SHIPPED" && state == "DELIVERED");
      if (!fits) say(fmt::format("I3 order {} was said to be {} and is {}", told.order, told.state, state));
    }
    std::set<std::string> users;
    const auto accounts = world_.rows("auth", "SELECT email FROM users");
    for (std::size_t i = 0; i < accounts.count(); ++i) users.insert(text(accounts.row(i)[0]));
    for (const auto& [email, done] : ledger_.registered) {
      if (done && !users.contains(email)) say("I3 the account of " + email + " was acknowledged and is not there");
    }
    std::set<std::string> skus;
    const auto products = world_.rows("product", "SELECT sku FROM products");
    for (std::size_t i = 0; i < products.count(); ++i) skus.insert(text(products.row(i)[0]));
    for (const auto& sku : ledger_.created_skus) {
      if (!skus.contains(sku)) say("I3 the product " + sku + " was acknowledged and is not there");
    }
  }

  void keys() {
    std::map<std::string, std::int64_t> orders;
    const auto rows = world_.rows("order", "SELECT phone, count(*) FROM orders GROUP BY phone");
    for (std::size_t i = 0; i < rows.count(); ++i) orders[text(rows.row(i)[0])] = number(rows.row(i)[1]);
    for (const auto& placing : ledger_.placings) {
      const auto stored = orders[fmt::format("sim-{}", placing.number)];
      const std::int64_t most = placing.key.empty() ? placing.sent : 1;
      if (stored > most) say(fmt::format("I4 order {} was wished once, sent {} times and is there {} times", placing.number, placing.sent, stored));
      std::set<std::string> ids;
      for (const auto& seen : placing.acknowledged) ids.insert(seen.order);
      if (!placing.key.empty() && ids.size() > 1) say(fmt::format("I4 order {} has {} ids under one key", placing.number, ids.size()));
    }
  }

  void reservations() {
    none("I5 reservation that nobody ended:", "product", "SELECT order_id FROM reservations WHERE status = 'HELD'");
    std::map<std::string, std::string> reserved;
    const auto rows = world_.rows("product", "SELECT order_id, status FROM reservations");
    for (std::size_t i = 0; i < rows.count(); ++i) reserved[text(rows.row(i)[0])] = text(rows.row(i)[1]);
    const auto orders = world_.rows("order", "SELECT id, CASE WHEN status IN ('CANCELLED', 'FAILED') THEN 'RELEASED' ELSE 'CONFIRMED' END FROM orders");
    for (std::size_t i = 0; i < orders.count(); ++i) {
      const auto& state = reserved[text(orders.row(i)[0])];
      if (state != text(orders.row(i)[1])) say(fmt::format("I6 the reservation of order {} is {}", text(orders.row(i)[0]), state.empty() ? "missing" : state));
    }
    none("I3 outcome without its order:", "order",
         "SELECT order_id FROM order_outcomes WHERE outcome = 'PLACED' AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = order_id)");
    none("I3 order without its outcome:", "order",
         "SELECT id FROM orders WHERE NOT EXISTS (SELECT 1 FROM order_outcomes WHERE order_id = id AND outcome = 'PLACED')");
  }

  // Every version of every entity was told, and told to the log.
  void events() {
    std::set<std::string> told;
    const auto rows = world_.rows("events", "SELECT DISTINCT topic, key, json_extract(value, '$.type'), json_extract(value, '$.version') FROM events");
    for (std::size_t i = 0; i < rows.count(); ++i) {
      const auto row = rows.row(i);
      told.insert(fmt::format("{} {} {} {}", text(row[0]), text(row[1]), text(row[2]), text(row[3])));
    }
    const auto must = [&](std::string_view topic, const std::string& key, std::string_view type, std::int64_t version) {
      const auto event = fmt::format("{} {} {} {}", topic, key, type, version);
      if (!told.contains(event)) say("I6 the event was never sent: " + event);
    };
    const auto orders = world_.rows("order", "SELECT id, version, status FROM orders");
    for (std::size_t i = 0; i < orders.count(); ++i) {
      const auto id = text(orders.row(i)[0]), status = text(orders.row(i)[2]);
      const auto version = number(orders.row(i)[1]);
      must("order_events", id, "ORDER_CREATED", 1);
      for (std::int64_t v = 2; v <= version; ++v) must("order_events", id, "ORDER_STATUS_CHANGED", 2 * v);
      if (status == "CANCELLED") must("order_events", id, "ORDER_CANCELLED", 2 * version - 1);
      if (status == "FAILED") must("order_events", id, "ORDER_FAILED", 2 * version - 1);
    }
    const auto products = world_.rows("product", "SELECT product_id, version FROM published_products");
    for (std::size_t i = 0; i < products.count(); ++i) {
      const auto id = text(products.row(i)[0]);
      must("product_events", id, "PRODUCT_CREATED", 1);
      const auto latest = number(products.row(i)[1]);
      const bool gone = world_.rows("product", "SELECT id FROM products WHERE id = $1", {id}).count() == 0;
      for (std::int64_t v = 2; v <= latest; ++v) must("product_events", id, gone && v == latest ? "PRODUCT_DELETED" : "PRODUCT_UPDATED", v);
    }
    none("I6 dead letters:", "events", "SELECT topic, key, value FROM events WHERE topic LIKE '%_dlq'");
  }

  void copies() {
    const auto users = world_.rows("auth", "SELECT id, name, email, is_active FROM users ORDER BY id");
    const auto copied = world_.rows("order", "SELECT id, name, email, is_active FROM user_copies ORDER BY id");
    std::map<std::string, std::string> copy;
    for (std::size_t i = 0; i < copied.count(); ++i) {
      const auto row = copied.row(i);
      copy[text(row[0])] = fmt::format("{} {} {}", text(row[1]), text(row[2]), text(row[3]));
    }
    for (std::size_t i = 0; i < users.count(); ++i) {
      const auto row = users.row(i);
      const auto there = fmt::format("{} {} {}", text(row[1]), text(row[2]), text(row[3]));
      if (copy[text(row[0])] != there) say(fmt::format("I7 user {} is \"{}\", the copy says \"{}\"", text(row[0]), there, copy[text(row[0])]));
    }
    // The latest event of a product says what the product is.
    const auto events = world_.rows("events",
                                    "SELECT key, json_extract(value, '$.payload.variants'), MAX(json_extract(value, '$.version')) FROM events"
                                    " WHERE topic = 'product_events' AND json_extract(value, '$.type') LIKE 'PRODUCT_%' GROUP BY key");
    for (std::size_t i = 0; i < events.count(); ++i) {
      const auto id = text(events.row(i)[0]);
      const auto variants = world_.rows("product", "SELECT id, stock_quantity, price FROM variants WHERE product_id = $1 ORDER BY created_at, id", {id});
      std::string stored, sent;
      for (std::size_t v = 0; v < variants.count(); ++v) {
        stored += fmt::format("{} {} {};", text(variants.row(v)[0]), text(variants.row(v)[1]), Price{number(variants.row(v)[2])}.text());
      }
      boost::json::error_code error;
      const auto parsed = boost::json::parse(text(events.row(i)[1]), error);
      if (!error && parsed.is_array()) {
        for (const auto& each : parsed.get_array()) {
          const auto& v = each.get_object();
          sent += fmt::format("{} {} {};", std::string(v.at("id").as_string()), v.at("stockQuantity").as_int64(), std::string(v.at("price").as_string()));
        }
      }
      if (stored != sent) say(fmt::format("I7 product {} is \"{}\", its latest event says \"{}\"", id, stored, sent));
    }
  }

  void prices() {
    std::map<std::pair<std::string, std::string>, std::int64_t> reserved;
    const auto lines = world_.rows("product", "SELECT order_id, variant_id, price FROM reservation_lines");
    for (std::size_t i = 0; i < lines.count(); ++i) reserved[{text(lines.row(i)[0]), text(lines.row(i)[1])}] = number(lines.row(i)[2]);
    const auto items = world_.rows("order", "SELECT order_id, variant_id, price FROM order_items");
    for (std::size_t i = 0; i < items.count(); ++i) {
      const auto row = items.row(i);
      const auto line = reserved.find({text(row[0]), text(row[1])});
      const auto price = number(row[2]);
      if (line != reserved.end() && line->second == price) continue;
      say(fmt::format("I8 order {} has {} at {}, reserved at {}", text(row[0]), text(row[1]), price, line == reserved.end() ? -1 : line->second));
    }
    none("I8 order, total, sum of its lines:", "order",
         "SELECT o.id, o.total_minor, SUM(i.price * i.quantity) FROM orders o JOIN order_items i ON i.order_id = o.id GROUP BY o.id"
         " HAVING o.total_minor <> SUM(i.price * i.quantity)");
  }

  // A review counts once, and the last one stands.
  void effects() {
    for (const auto& [product, different] : ledger_.review_events) {
      const auto done = witness_.ratings().find(product);
      const auto times = done == witness_.ratings().end() ? 0 : done->second;
      if (times > different) say(fmt::format("I6 product {}: {} reviews took effect {} times", product, different, times));
    }
    for (const auto& [product, last] : ledger_.reviews) {
      const auto rows = world_.rows("product", "SELECT review_count, rating_hundredths FROM products WHERE id = $1", {product});
      if (rows.count() == 1 && (number(rows.row(0)[0]) != last || number(rows.row(0)[1]) != (1 + last % 5) * 100)) {
        say(fmt::format("I7 product {}: review {} is shown, {} is the last", product, number(rows.row(0)[0]), last));
      }
    }
  }

  struct KeptCart {
    std::string owner;
    std::map<std::string, std::int64_t> lines;
  };

  std::map<std::string, KeptCart> kept_carts() {
    std::map<std::string, KeptCart> carts;
    const auto rows = world_.rows("cart", "SELECT key, value FROM key_values WHERE key LIKE 'cart:%' ORDER BY key");
    for (std::size_t i = 0; i < rows.count(); ++i) {
      const auto cart = codec::from_json<cart::Cart>(text(rows.row(i)[1]));
      if (!cart) {
        say("I3 what stands in the store is no cart: " + text(rows.row(i)[1]));
        continue;
      }
      auto& kept = carts[cart->id.text()];
      if (cart->userId) kept.owner = cart->userId->text();
      for (const auto& item : cart->items) kept.lines[item.variantId.text()] += item.quantity;
    }
    return carts;
  }

  // Every line that was put into a cart lies in one, once: the guest's own, or that of the customer who took it over. What a power
  // failure took is not missed: carts are promised to outlive the process only.
  void carts() {
    const auto carts = kept_carts();
    const bool complete = !world_.lost_power(world_.machine_of("cart"));
    std::map<std::string, std::string> owned;
    for (const auto& [id, cart] : carts) {
      if (!cart.owner.empty() && !owned.emplace(cart.owner, id).second) say(fmt::format("I3 customer {} has two carts", cart.owner));
    }
    struct Bounds {
      std::set<std::string> carts;
      std::map<std::string, std::pair<std::int64_t, std::int64_t>> lines;
    };
    std::map<std::string, Bounds> wanted;  // by customer, or by the guest's cart
    for (const auto& filling : ledger_.fillings) {
      auto& bounds = wanted[filling.customer.empty() ? filling.id : filling.customer];
      bounds.carts.insert(filling.id);
      if (owned.contains(filling.customer)) bounds.carts.insert(owned.at(filling.customer));
      for (const auto& [variant, quantities] : filling.lines) {
        bounds.lines[variant].first += quantities.first;
        bounds.lines[variant].second += quantities.second;
      }
      const auto cart = carts.find(filling.id);
      const bool strange = cart != carts.end() && !cart->second.owner.empty() && cart->second.owner != filling.customer;
      if (strange) say(fmt::format("I3 cart {} belongs to {}, who never took it", filling.id, cart->second.owner));
    }
    for (const auto& [whose, bounds] : wanted) {
      std::map<std::string, std::int64_t> kept;
      for (const auto& id : bounds.carts) {
        const auto cart = carts.find(id);
        if (cart == carts.end()) continue;
        for (const auto& [variant, quantity] : cart->second.lines) kept[variant] += quantity;
      }
      for (const auto& [variant, quantities] : bounds.lines) {
        const auto [least, most] = quantities;
        const auto there = kept[variant];
        if (complete && there < least) say(fmt::format("I3 carts of {} hold {} of {}, acknowledged were {}", whose, there, variant, least));
        if (there > most) say(fmt::format("I4 carts of {} hold {} of {}, sent were {}", whose, there, variant, most));
      }
      for (const auto& [variant, quantity] : kept) {
        if (!bounds.lines.contains(variant)) say(fmt::format("I3 carts of {} hold {} of {}, which nobody put there", whose, quantity, variant));
      }
    }
  }

  static Request get(std::string target) { return {.method = Method::get, .target = std::move(target), .headers = {}, .body = {}, .remote = {}}; }

  // The engine holds every product as the catalogue does, and what is found says so.
  void index() {
    const auto page = codec::from_json<search::ProductPage>(world_.ask_now("product-service", get("/internal/product-documents?limit=500")).text());
    if (!page || page->next) return say("I7 the catalogue cannot be read");
    const auto& indexed = world_.engine().live.documents();
    std::map<std::string, std::string> shown;
    for (const auto& [version, product] : page->documents) {
      const auto write = search::write_of(product, version);
      const auto id = product.id.text();
      if (write.document->active) shown[id] = write.document->source;
      const auto found = indexed.find(product.id);
      const auto* document = found != indexed.end() && found->second && found->second->document ? &*found->second->document : nullptr;
      if (document && document->active == write.document->active && document->source == write.document->source) continue;
      say(fmt::format("I7 product {} is \"{}\", the index says \"{}\"", id, write.document->source, document ? document->source : "nothing"));
    }
    for (const auto& [id, kept] : indexed) {
      const bool known = std::ranges::any_of(page->documents, [&](const auto& each) { return each.document.id == id; });
      if (!known && kept && kept->document) say(fmt::format("I7 product {} is in the index and not in the catalogue", id.text()));
    }
    const auto answer = world_.ask_now("search-service", get("/products?limit=100"));
    boost::json::error_code error;
    const auto found = boost::json::parse(answer.text(), error);
    if (error || answer.status != 200) return say(fmt::format("I7 the search answers {}", answer.status));
    for (const auto& hit : found.at("data").as_array()) {
      if (shown.erase(std::string(hit.at("id").as_string())) == 0) say("I7 a product is found that is not shown: " + boost::json::serialize(hit));
    }
    for (const auto& [id, card] : shown) say("I7 a product is not found: " + id);
  }

  std::string dump(const std::string& store) {
    std::string all;
    for (const char* sql : store == "order"     ? std::initializer_list<const char*>{"SELECT id, status, total_minor, version FROM orders ORDER BY id"}
                           : store == "product" ? std::initializer_list<const char*>{"SELECT id, stock_quantity, price FROM variants ORDER BY id",
                                                                                      "SELECT order_id, status FROM reservations ORDER BY order_id"}
                           : store == "cart"    ? std::initializer_list<const char*>{"SELECT key, value FROM key_values WHERE key LIKE 'cart:%' ORDER BY key"}
                           : store == "auth"    ? std::initializer_list<const char*>{"SELECT id, email, version FROM users ORDER BY id"}
                                                : std::initializer_list<const char*>{"SELECT number, topic, key FROM events ORDER BY number"}) {
      for (const auto& cell : world_.rows(store, sql).cells) (all += text(cell)) += ' ';
    }
    return all;
  }

  World& world_;
  const Ledger& ledger_;
  const Witness& witness_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> judged(World& world, const Ledger& ledger, const Witness& witness) { return Judge(world, ledger, witness).all(); }

}  // namespace shop::simulation

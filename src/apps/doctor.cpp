#include "apps/doctor.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "adapters/sql_log/backlog.hpp"
#include "apps/reindex.hpp"
#include "runtime/dead_letters.hpp"
#include "runtime/outbox.hpp"
#include "runtime/peer.hpp"
#include "services/auth/store.hpp"
#include "services/order/store_audit.hpp"
#include "services/product/api.hpp"
#include "services/product/store_audit.hpp"
#include "services/search/domain.hpp"

namespace shop {
namespace {

constexpr std::int64_t page = 500;
constexpr std::size_t most = 1000;           // findings of one kind, about
constexpr seconds patience_that_tells{8};   // who runs has taken its work up by then, also after a failure
constexpr milliseconds sweep_time{30'000};   // after an expiry the sweeper has had its chance
constexpr std::string_view beyond = "~";     // greater than every id
constexpr std::size_t most_events = 30'000;  // of orders that are read back

using product::store::OrderStock;
using product::store::StockLine;
using order::store::AuditedOrder;

// The next page of ids of both stores: where both are complete up to.
std::string page_end(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::string end(beyond);
  for (const auto* ids : {&a, &b}) {
    if (static_cast<std::int64_t>(ids->size()) == page) end = std::min(end, ids->back());
  }
  return end;
}

std::string row_of_order(const AuditedOrder& order) {
  return fmt::format("orders: id={} status={} total_minor={} outcome={}", order.id, codec::enum_text(order.status), order.total_minor,
                     order.outcome.value_or("none"));
}

std::string row_of_stock(const std::string& id, const OrderStock& stock) {
  if (stock.status.empty()) return fmt::format("reservations: none for order_id={}", id);
  return fmt::format("reservations: order_id={} status={} expires_at={}", id, stock.status, stock.expires_at.text());
}

std::string row_of_line(const std::string& variant, const StockLine& line, std::int64_t sold) {
  return fmt::format("variant_id={} sold={} reserved={} taken={} returned={}", variant, sold, line.reserved, line.taken, line.returned);
}

// One order against the ledger. `order` or `stock` may be missing.
class OrderCase {
 public:
  OrderCase(std::string id, const AuditedOrder* order, const OrderStock* stock, Instant now)
      : id_(std::move(id)), order_(order), stock_(stock ? *stock : OrderStock{}), now_(now) {
    if (order_) {
      for (const auto& item : order_->items) sold_[item.variant_id] += item.quantity;
    }
    for (const auto& [variant, quantity] : sold_) stock_.lines.try_emplace(variant);
  }

  void judge(DoctorReport& report) {
    if (order_) {
      outcome(report);
      totals(report);
      prices(report);
      returns_stock(order_->status) ? given_back(report) : sold(report);
    } else {
      unowned(report);
    }
  }

 private:
  Finding& found(DoctorReport& report, std::string invariant, std::string message, Repair repair = Repair::none) {
    Finding finding{std::move(invariant), "order " + id_, std::move(message), {}, repair, id_, {}};
    if (order_) finding.rows.push_back(row_of_order(*order_));
    finding.rows.push_back(row_of_stock(id_, stock_));
    for (const auto& [variant, line] : stock_.lines) finding.rows.push_back(row_of_line(variant, line, sold_[variant]));
    return report.findings.emplace_back(std::move(finding));
  }

  void outcome(DoctorReport& report) {
    if (order_->id.empty()) return void(found(report, "I3", "Items lie in the store without their order."));
    if (order_->outcome != "PLACED") found(report, "I3", "An order exists that was not decided as placed: it could be given up as well.");
    if (order_->items.empty()) found(report, "I3", "An order has no items.");
  }

  void totals(DoctorReport& report) {
    order::OrderRow row;
    row.base_currency = order_->base_currency;
    row.display_currency = order_->display_currency;
    row.rate = order_->rate;
    std::vector<order::ItemRow> items;
    for (const auto& item : order_->items) {
      items.emplace_back().price.minor = item.price;
      items.back().quantity = item.quantity;
    }
    const bool added = order::add_totals(row, items).has_value();
    if (!added || row.total_minor != order_->total_minor || row.display_total_minor != order_->display_total_minor) {
      found(report, "I8", "The order's total is not the sum of its items.")
          .rows.push_back(fmt::format("items sum to {} and {} in the display currency; stored: {} and {}", row.total_minor,
                                      row.display_total_minor, order_->total_minor, order_->display_total_minor));
    }
  }

  void prices(DoctorReport& report) {
    for (const auto& item : order_->items) {
      const auto& line = stock_.lines[item.variant_id];
      if (!line.price || *line.price == item.price) continue;
      found(report, "I8", "The price in the order is not the one that the catalogue had when the stock was reserved.")
          .rows.push_back(fmt::format("variant_id={}: order_items.price={} reservation_lines.price={}", item.variant_id, item.price, *line.price));
    }
  }

  bool every(auto holds) {
    return std::ranges::all_of(stock_.lines, [&](const auto& entry) { return holds(entry.second, sold_[entry.first]); });
  }

  void sold(DoctorReport& report) {
    if (!every([](const StockLine& line, std::int64_t sold) { return line.taken == sold && line.returned == 0; })) {
      found(report, "I2", "What the order sold is not what its ORDER movements took.");
    } else if (stock_.status == "HELD") {
      ++report.waiting["reservations to be confirmed"];
      if (stock_.expires_at + sweep_time < now_) {
        found(report, "I5", "The reservation of a placed order is older than its expiry: the order's event has not arrived.", Repair::settle_reservation);
      }
    } else if (stock_.status != "CONFIRMED") {
      found(report, "I2", "A placed order has no reservation that is held or confirmed.");
    }
  }

  void given_back(DoctorReport& report) {
    if (!every([](const StockLine& line, std::int64_t sold) { return line.taken == sold; })) {
      found(report, "I2", "What the order sold is not what its ORDER movements took.");
    } else if (!every([](const StockLine& line, std::int64_t) { return line.returned == line.taken; })) {
      const bool untouched = every([](const StockLine& line, std::int64_t) { return line.returned == 0; });
      const bool held = stock_.status == "HELD" || stock_.status == "CONFIRMED";
      found(report, "I2", "The order was cancelled or failed, but its stock was not given back.",
            untouched && held ? Repair::release_stock : Repair::none);
    } else if (stock_.status != "RELEASED") {
      found(report, "I2", "The order's stock was given back, but its reservation could give it back once more.");
    }
  }

  void unowned(DoctorReport& report) {
    const bool nothing_taken = every([](const StockLine& line, std::int64_t) { return line.taken == line.returned; });
    const bool as_reserved = every([](const StockLine& line, std::int64_t) { return line.taken == line.reserved && line.returned == 0; });
    if (stock_.status == "HELD") {
      if (!as_reserved) found(report, "I2", "A reservation holds other quantities than its ORDER movements took.");
      ++report.waiting["reservations held"];
      if (stock_.expires_at + sweep_time < now_) {
        found(report, "I5", "A reservation without an order is older than its expiry.", Repair::settle_reservation);
      }
    } else if (stock_.status == "CONFIRMED") {
      found(report, "I2", "Stock was taken for an order that does not exist.", as_reserved ? Repair::settle_reservation : Repair::none);
    } else if (!nothing_taken) {
      found(report, "I2", "Movements of type ORDER belong to no order and to no reservation.");
    }
  }

  const std::string id_;
  const AuditedOrder* order_;
  OrderStock stock_;
  const Instant now_;
  std::map<std::string, std::int64_t> sold_;
};

Task<Result<std::string>> damage_in(Transaction& tx) {
  static constexpr Query quick_check{"quick_check", "SELECT CAST('ok' AS TEXT)",
                                     "SELECT COALESCE(group_concat(quick_check, '; '), 'ok') FROM pragma_quick_check"
                                     " WHERE quick_check NOT LIKE 'CHECK constraint failed%'"};  // a fault of its own, with its rows
  CO_TRY(auto text, co_await select_one<std::string>(tx, quick_check));
  co_return std::move(*text);
}

Task<Result<void>> release(const Context& context, const Peer& products, const std::string& id, const std::string& reason) {
  const auto order = OrderId::parse(id);
  if (!order) co_return fail(Code::invalid, "The id is no UUID: an operator decides.");
  CO_CHECK(co_await products.post<product::ReleaseAnswer>(context, "/internal/stock/release", product::ReleaseRequest{*order, {reason}}));
  co_return Result<void>();
}

// Asks order-service, whose word is final: a reservation is given back only when its order can never be placed any more.
Task<Result<std::string>> settle(const Context& context, const Peer& orders, const Peer& products, const std::string& id) {
  CO_TRY(const auto settled, co_await orders.command<order::Settlement>(context, "/internal/orders/" + id + "/settle"));
  if (settled.outcome == order::Outcome::PLACED) co_return "order-service says that the order is placed; the sweeper confirms the reservation";
  CO_CHECK(co_await release(context, products, id, "Given back by shopctl doctor: no such order"));
  co_return "stock given back, with its movements";
}

// The least id (RFC 9562, version 7) that can have been made at that time.
std::string first_id_of(Instant at) {
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(at.ms, 0));
  return fmt::format("{:08x}-{:04x}-7000-8000-000000000000", ms >> 16, ms & 0xffff);
}

}  // namespace

std::string key_of(const Finding& finding) { return finding.invariant + ' ' + finding.subject; }

Task<Result<void>> Doctor::files(const Context& context, DoctorReport& report) {
  const std::pair<Database*, std::string> all[] = {{stores_.auth, "auth"}, {stores_.product, "product"}, {stores_.order, "order"}, {stores_.events, "events"}};
  for (const auto& [database, name] : all) {
    if (!database && name == "events") continue;  // Kafka's, or none: events() says so
    if (!database) {
      report.not_checked.push_back("the store of " + name);
      continue;
    }
    CO_TRY(const auto said, co_await read(*database, context, damage_in));
    if (said != "ok") report.findings.push_back({"store", name, "The file is damaged: restore it from a backup.", {said}, Repair::none, {}, {}});
  }
  co_return Result<void>();
}

Task<Result<void>> Doctor::stock(const Context& context, DoctorReport& report) {
  if (!stores_.product) co_return Result<void>();
  CO_TRY(const auto counts, co_await read(*stores_.product, context, product::store::stock_counts));
  report.counted["variants"] = counts.variants;
  report.counted["stock movements"] = counts.movements;
  report.counted["reservations"] = counts.reservations;
  if (counts.unpublished > 0) {
    report.waiting["product changes to be published"] = counts.unpublished;
    report.begun.push_back({"product-service", std::to_string(counts.oldest_unpublished),
                            fmt::format("changed_products: {} rows from seq={}", counts.unpublished, counts.oldest_unpublished)});
  }
  CO_TRY(const auto faults, co_await read(*stores_.product, context, product::store::stock_faults, std::int64_t(most)));
  for (const auto& f : faults) {
    report.findings.push_back({"I1", "variant " + f.variant_id,
                               f.stock < 0 ? "The stock is below 0." : "The movements do not sum to the stock.",
                               {fmt::format("variants: id={} product_id={} stock_quantity={}", f.variant_id, f.product_id, f.stock),
                                fmt::format("stock_movements: {} rows sum to {}", f.movements, f.ledger)},
                               Repair::none, f.variant_id, {}});
  }
  co_return Result<void>();
}

Task<Result<void>> Doctor::orders(const Context& context, DoctorReport& report) {
  if (!stores_.product || !stores_.order) co_return Result<void>();
  CO_TRY(report.counted["orders"], co_await read(*stores_.order, context, order::store::order_count));
  for (std::string after; after != beyond;) {
    CO_TRY(const auto sold, co_await read(*stores_.order, context, order::store::order_ids_after, after, page));
    CO_TRY(const auto moved, co_await read(*stores_.product, context, product::store::audited_ids_after, after, page));
    const auto end = page_end(sold, moved);
    CO_TRY(const auto placed, co_await read(*stores_.order, context, order::store::orders_between, after, end));
    CO_TRY(const auto held, co_await read(*stores_.product, context, product::store::order_stock, after, end));
    std::set<std::string> ids;
    for (const auto& [id, order] : placed) ids.insert(id);
    for (const auto& [id, stock] : held) ids.insert(id);
    for (const auto& id : ids) {
      const auto order = placed.find(id);
      const auto stock = held.find(id);
      OrderCase(id, order == placed.end() ? nullptr : &order->second, stock == held.end() ? nullptr : &stock->second, clock_.wall()).judge(report);
    }
    if (report.findings.size() > most && end != beyond) {
      report.not_checked.push_back(fmt::format("orders after {}: there are too many findings before", end));
      break;
    }
    after = end;
  }
  co_return Result<void>();
}

Task<Result<void>> Doctor::kept_answers(const Context& context, const Options& options, DoctorReport& report) {
  if (!stores_.order) co_return Result<void>();
  CO_TRY(const auto missing, co_await read(*stores_.order, context, order::store::missing_orders, std::int64_t(most)));
  for (const auto& m : missing) {
    report.findings.push_back({"I3", "order " + m.id, "An order that somebody was told of does not exist.",
                               {m.told_by, fmt::format("orders: none with id={}", m.id)}, Repair::none, m.id, {}});
  }
  CO_TRY(const auto faults, co_await read(*stores_.order, context, order::store::key_faults, std::int64_t(most)));
  for (const auto& f : faults) {
    report.findings.push_back({"I4", fmt::format("key {} of {}", f.key, f.caller), f.why,
                               {fmt::format("idempotency_keys: caller={} key={} resource={}", f.caller, f.key, f.resource)}, Repair::none, f.resource, {}});
  }
  for (const auto& id : options.acknowledged) {
    CO_TRY(const bool there, co_await read(*stores_.order, context, order::store::order_exists, id));
    if (there) continue;
    report.findings.push_back({"I3", "order " + id, "An acknowledged order does not exist.", {fmt::format("orders: none with id={}", id)},
                               Repair::none, id, {}});
  }
  if (!options.acknowledged.empty()) report.counted["acknowledged orders"] = static_cast<std::int64_t>(options.acknowledged.size());
  co_return Result<void>();
}

Task<Result<void>> Doctor::users(const Context& context, DoctorReport& report) {
  if (!stores_.auth || !stores_.order) co_return Result<void>();
  using order::store::CopiedUser;
  const auto shown = [](const CopiedUser& u) {
    return fmt::format("name={} email={} profile_image={} is_active={} version={}", u.name, u.email, u.profile_image.value_or("null"), u.is_active, u.version);
  };
  for (std::string after; after != beyond;) {
    CO_TRY(const auto sources, co_await read(*stores_.auth, context, auth::store::users_after, after, page));
    CO_TRY(const auto found, co_await read(*stores_.order, context, order::store::copied_users_after, after, page));
    std::vector<std::string> source_ids, copy_ids;
    for (const auto& user : sources) source_ids.push_back(user.id.text());
    for (const auto& user : found) copy_ids.push_back(user.id);
    const auto end = page_end(source_ids, copy_ids);
    std::map<std::string, CopiedUser> by_id;
    for (const auto& user : found) by_id.emplace(user.id, user);
    for (const auto& user : sources) {
      const auto id = user.id.text();
      if (id > end) break;
      const auto copy = by_id.extract(id);
      if (!user.password_hash) continue;  // invited: nobody has been told of the account
      ++report.counted["users"];
      const CopiedUser wanted{id, user.name, user.email, user.profile_image, user.is_active, user.version};
      if (!copy.empty() && copy.mapped() == wanted) continue;
      report.findings.push_back({"I7", "user " + id, "order-service's copy of the user is not as its source.",
                                 {"users: " + shown(wanted), "user_copies: " + (copy.empty() ? "none" : shown(copy.mapped()))}, Repair::resend_users, id, {}});
    }
    for (const auto& [id, copy] : by_id) {
      if (id > end) break;
      report.findings.push_back({"I7", "user " + id, "order-service has a copy of a user that does not exist.", {"user_copies: " + shown(copy)},
                                 Repair::none, id, {}});
    }
    after = end;
  }
  co_return Result<void>();
}

Task<Result<void>> Doctor::events(const Context& context, DoctorReport& report) {
  const std::pair<Database*, std::string> all[] = {{stores_.auth, "auth"}, {stores_.product, "product"}, {stores_.order, "order"}};
  for (const auto& [database, name] : all) {
    if (!database) continue;
    CO_TRY(const auto outbox, co_await read(*database, context, outbox_backlog));
    if (outbox.waiting == 0) continue;
    report.waiting[name + " events to be published"] = outbox.waiting;
    const auto since = outbox.oldest.value_or(Instant()).text();
    report.begun.push_back({name + "-service", since, fmt::format("outbox of {}: {} rows since {}", name, outbox.waiting, since)});
  }
  if (stores_.events) {
    CO_TRY(const auto behind, co_await read(*stores_.events, context, sql_log::backlog));
    for (const auto& group : behind) {
      report.waiting[fmt::format("{} events for {}", group.topic, group.group)] = group.waiting;
      report.begun.push_back({group.group, std::to_string(group.position),
                              fmt::format("positions: consumer={} topic={} number={}, {} events behind", group.group, group.topic, group.position,
                                          group.waiting)});
    }
    CO_TRY(const auto ahead, co_await read(*stores_.events, context, sql_log::ahead));
    for (const auto& group : ahead) {
      report.findings.push_back({"I6", group.group, "A consumer stands behind the log's end: it would skip the next events.",
                                 {fmt::format("positions: consumer={} topic={} number={}", group.group, group.topic, group.position)}, Repair::none, {}, {}});
    }
  }
  if (!stores_.log) {
    report.not_checked.push_back("the event log");
    co_return Result<void>();
  }
  CO_TRY(const auto dead, co_await DeadLetters(*stores_.log, consuming_services).list(context));
  for (const auto& letter : dead) {
    if (letter.replayed) continue;
    report.findings.push_back({"I6", "dead letter " + letter.id, "An event did not reach its consumer, which gave it up: shopctl dlq.",
                               {fmt::format("topic={} key={} group={} cause={}", letter.topic, letter.key, letter.group, letter.cause)}, Repair::none, {}, {}});
  }
  co_return co_await told(context, report);
}

// Every order was told of: its event stands in the log, or waits in the outbox. Of orders that the log may have let go already
// nothing can be said.
Task<Result<void>> Doctor::told(const Context& context, DoctorReport& report) {
  if (!stores_.order) co_return Result<void>();
  std::set<std::string, std::less<>> missing;
  auto after = first_id_of(clock_.wall() - (events_kept - hours(24)));
  while (after != beyond) {  // the orders before the events: who is told of later is newer than what is looked for
    CO_TRY(const auto ids, co_await read(*stores_.order, context, order::store::order_ids_after, after, page));
    missing.insert(ids.begin(), ids.end());
    after = static_cast<std::int64_t>(ids.size()) == page ? ids.back() : std::string(beyond);
  }
  CO_TRY(const auto waiting, co_await read(*stores_.order, context, order::store::orders_to_be_told));
  for (const auto& id : waiting) missing.erase(id);
  auto events = co_await stores_.log->history(context, {"order_events"}, most_events);
  if (!events && events.error().code == Code::too_large) {
    report.not_checked.push_back(fmt::format("whether every order was told of: there are more than {} events", most_events));
    co_return Result<void>();
  }
  CO_CHECK(events);
  for (const auto& event : *events) missing.erase(event.record.key);
  for (const auto& id : missing) {
    if (report.findings.size() > most) break;
    report.findings.push_back({"I6", "order " + id, "No event told of the order.", {fmt::format("order_events: none with key={}", id), "outbox: none"},
                               Repair::none, id, {}});
  }
  co_return Result<void>();
}

// The index first: what changes in between is newer in the catalogue, under way, and no longer so at the next look.
Task<Result<void>> Doctor::index(const Context& context, DoctorReport& report) {
  if (!stores_.product) co_return Result<void>();
  if (!stores_.index) {
    report.not_checked.push_back("the search index");
    co_return Result<void>();
  }
  CO_TRY(const auto marked, co_await read(*stores_.product, context, product::store::products_under_way));
  std::set<std::string> under_way(marked.begin(), marked.end());
  if (stores_.events) {
    CO_TRY(const auto waiting, (co_await read(*stores_.events, context, sql_log::waiting_keys, std::string("search-service-group-products"),
                                              std::string("product_events"))));
    under_way.insert(waiting.begin(), waiting.end());
  }
  const auto differs = [&](const ProductId& id, const std::string& version, std::string message, std::vector<std::string> rows) {
    if (under_way.contains(id.text())) return void(++report.waiting["products to be indexed"]);
    report.findings.push_back({"I7", fmt::format("product {} ({})", id.text(), version), std::move(message), std::move(rows), Repair::reindex, id.text(), {}});
  };
  for (std::optional<ProductId> after;;) {
    auto listed = co_await stores_.index->list(context, after, static_cast<std::size_t>(page));
    if (!listed && !after) {
      report.findings.push_back({"I7", "search index", "The search index cannot be read.", {listed.error().message + " " + listed.error().detail},
                                 Repair::reindex, {}, {}});
      co_return Result<void>();
    }
    CO_CHECK(listed);
    CO_TRY(const auto documents, co_await read(*stores_.product, context, product::store::documents, product::DocumentQuery{after, page}));
    std::optional<ProductId> end = documents.next;
    if (static_cast<std::int64_t>(listed->size()) == page && (!end || listed->back().id < *end)) end = listed->back().id;
    std::map<ProductId, const ListedProduct*> indexed;
    for (const auto& each : *listed) {
      if (!end || each.id <= *end) indexed.emplace(each.id, &each);
    }
    for (const auto& [version, document] : documents.documents) {
      if (end && *end < document.id) break;
      ++report.counted["products"];
      const auto product = codec::from_json<search::IndexedProduct>(codec::to_json(document));
      if (!product) co_return Failure(product.error());
      const auto wanted = search::write_of(*product, version);
      const auto kept = indexed.extract(document.id);
      const auto in_catalogue = fmt::format("products: id={} version={} is_active={}", document.id.text(), version, wanted.document->active);
      if (kept.empty()) {
        if (wanted.document->active) differs(document.id, "not indexed", "A product is not in the search index.", {in_catalogue, "index: none"});
        continue;
      }
      const auto& found = *kept.mapped();
      const auto should_be = wanted.document->active ? std::optional(wanted.document->source) : std::nullopt;
      if (found.source == should_be) continue;
      differs(document.id, fmt::format("indexed at version {}", found.version), "The search index does not hold the product as the catalogue does.",
              {in_catalogue, fmt::format("index: version={} {}", found.version, found.source.value_or("not shown")),
               "should be: " + should_be.value_or("not shown")});
    }
    for (const auto& [id, found] : indexed) {
      if (!found->source) continue;
      differs(id, fmt::format("indexed at version {}", found->version), "The search index shows a product that does not exist.",
              {fmt::format("products: none with id={}", id.text()), fmt::format("index: version={} {}", found->version, *found->source)});
    }
    if (!end) co_return Result<void>();
    if (report.findings.size() > most) {
      report.not_checked.push_back(fmt::format("products after {}: there are too many findings before", end->text()));
      co_return Result<void>();
    }
    after = end;
  }
}

Task<Result<DoctorReport>> Doctor::look(const Context& context, const Options& options) {
  DoctorReport report;
  CO_CHECK(co_await files(context, report));
  if (!report.findings.empty()) co_return report;  // nothing that a damaged file says can be believed
  CO_CHECK(co_await stock(context, report));
  CO_CHECK(co_await orders(context, report));
  CO_CHECK(co_await kept_answers(context, options, report));
  CO_CHECK(co_await users(context, report));
  CO_CHECK(co_await events(context, report));
  CO_CHECK(co_await index(context, report));
  co_return report;
}

Task<Result<DoctorReport>> Doctor::examine(const Context& context, const Options& options) {
  const auto begun = clock_.now();
  CO_TRY(auto report, co_await look(context, options));
  while ((!report.findings.empty() || !report.begun.empty()) && clock_.now() < begun + options.patience) {
    co_await clock_.sleep(milliseconds(1000));
    CO_TRY(auto again, co_await look(context, options));
    std::set<std::string> before;
    for (const auto& finding : report.findings) before.insert(key_of(finding));
    std::erase_if(again.findings, [&](const Finding& finding) { return !before.contains(key_of(finding)); });
    std::erase_if(again.begun, [&](const Waiting& now) {
      return std::ranges::none_of(report.begun, [&](const Waiting& then) { return then.subject == now.subject && then.place == now.place; });
    });
    report = std::move(again);
  }
  if (clock_.now() - begun < patience_that_tells) co_return report;
  for (const auto& waiting : report.begun) {
    report.findings.push_back({"I6", waiting.subject, "Events wait, and nobody takes them on.", {waiting.row}, Repair::none, {}, {}});
  }
  co_return report;
}

Task<> Doctor::mend(const Context& context, ServiceCaller& services, DoctorReport& report) {
  const Peer orders(services, "order-service"), products(services, "product-service"), accounts(services, "auth-service");
  std::optional<std::string> users_sent, rebuilt;
  for (auto& finding : report.findings) {
    Result<std::string> done = "cannot be derived: an operator decides";
    if (finding.repair == Repair::settle_reservation) {
      done = co_await settle(context, orders, products, finding.id);
    } else if (finding.repair == Repair::release_stock) {
      auto released = co_await release(context, products, finding.id, "Given back by shopctl doctor: the order is cancelled");
      done = released ? Result<std::string>("stock given back, with its movements") : Failure(std::move(released).error());
    } else if (finding.repair == Repair::resend_users) {
      if (!users_sent) {
        auto sent = co_await accounts.command<boost::json::value>(context, "/resync-users");
        users_sent = sent ? "every user was sent again as an event" : "not mended: " + sent.error().message;
      }
      done = *users_sent;
    } else if (finding.repair == Repair::reindex) {
      if (!rebuilt) {
        const auto report_of_it = co_await reindex(context, services, clock_);
        rebuilt = report_of_it ? fmt::format("the index was built anew from {} products", report_of_it->indexed)
                               : "not mended: " + report_of_it.error().message;
      }
      done = *rebuilt;
    }
    finding.mended = done ? *done : "not mended: " + done.error().message;
  }
}

}  // namespace shop

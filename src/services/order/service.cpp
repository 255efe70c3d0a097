#include "services/order/service.hpp"

#include <algorithm>

#include "observe/log.hpp"

namespace shop::order {
namespace {

Failure no_order() { return fail(Code::not_found, "Order not found."); }

bool same_token(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

Reader reader_of(const OrderRow& row, const Asker& asker) {
  return {asker.language, asker.caller.user() && asker.caller.may(Permission::read_order),
          asker.caller.is(row.user_id) || same_token(row.guest_token, asker.guest_token)};
}

// product-service names variants; the client knows lines.
std::vector<Fault> by_line(const std::vector<Fault>& faults, const std::vector<OrderLine>& items, std::string_view member) {
  std::vector<Fault> translated;
  for (const auto& fault : faults) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].variantId.text() == fault.path) translated.push_back({fmt::format("items[{}].{}", i, member), fault.message});
    }
  }
  return translated;
}

// What product-service said of the reservation, as this service's callers know it.
Error as_order_error(Error error, const std::vector<OrderLine>& items) {
  if (error.name == "INSUFFICIENT_STOCK") {
    error.code = Code::conflict;
    error.faults = by_line(error.faults, items, "quantity");
  } else if (error.name == "UNKNOWN_VARIANT") {
    error.code = Code::invalid;
    error.faults = by_line(error.faults, items, "variantId");
  } else if (error.name != "UNKNOWN_CURRENCY" && error.name != "RESERVATION_RELEASED") {
    error = Error{Code::unavailable, "The catalogue cannot be reached now. No order was placed.", "CATALOGUE_UNAVAILABLE", {},
                  error.message + " " + error.detail, seconds(1)};
  }
  return error;
}

// A change of an order is told by up to two events. Each has a version of its own: they increase in the order's events.
constexpr std::int64_t first_event(std::int64_t version) { return 2 * version - 1; }
constexpr std::int64_t last_event(std::int64_t version) { return 2 * version; }

Event event_of(std::string type, const StoredOrder& order) {
  auto payload = codec::to_json(order_for(order, {"en", true, type == "ORDER_CREATED" || type == "ORDER_CANCELLED"}));
  return {"order_events", order.row.id.text(), std::move(type), first_event(order.row.version), std::move(payload)};
}

bool nothing_was_reserved(const Error& error) {
  return error.name == "INSUFFICIENT_STOCK" || error.name == "UNKNOWN_VARIANT" || error.name == "UNKNOWN_CURRENCY";
}

std::string caller_key(const OrderService::Placing& placing) {
  if (placing.caller.user()) return "user " + placing.caller.id.text();
  return "guest " + Email{placing.request.guestEmail ? placing.request.guestEmail->value : ""}.key();
}

Task<Result<void>> release_claim_in(Transaction& tx, const std::string& resource) { return release_claim(tx, resource); }

// What was to be placed under `spent` shall be placed under `fresh`, unless somebody was faster.
Task<Result<std::optional<Claim>>> pass_on(Transaction& tx, const IdempotencyKey& key, const OrderId& spent, const OrderId& fresh, const Instant& now) {
  CO_CHECK(co_await release_claim(tx, spent.text()));
  co_return co_await claim(tx, key, fresh.text(), now);
}

}  // namespace

std::vector<Fault> further_faults(const OrderRequest& request, bool guest) {
  std::vector<Fault> faults;
  if (request.items.empty() || request.items.size() > 100) faults.push_back({"items", "must have 1 to 100 entries"});
  if (guest) {
    if (!request.guestEmail || request.guestEmail->value.empty()) {
      faults.push_back({"guestEmail", "is missing: an order without a token needs it"});
    } else if (auto email = Email::parse(request.guestEmail->value); !email) {
      faults.push_back({"guestEmail", email.error()});
    }
    if (request.guestName && utf8_length(request.guestName->value) > 200) faults.push_back({"guestName", "must have at most 200 characters"});
  }
  return faults;
}

OrderService::OrderService(Settings settings, Database& database, Outbox& outbox, StockPeer stock, KeyValueStore& advice, Clock& clock,
                           Random& random)
    : settings_(settings), database_(database), outbox_(outbox), stock_(std::move(stock)), limiter_(advice), rendezvous_(advice, clock), clock_(clock),
      random_(random), commits_(clock, [this](const Context& context, const Commits::Items& items) { return commit(context, items); }) {}

// --- placing

Task<Result<std::string>> OrderService::place(const Context& context, const Placing& placing) {
  if (auto faults = further_faults(placing.request, placing.caller.anonymous()); !faults.empty()) co_return fail(codec::faulty(std::move(faults)));
  if (!placing.idempotency_key) {
    co_return co_await place_as(context, placing, random_.id<OrderId>(clock_.wall()), std::nullopt);
  }
  const std::optional<IdempotencyKey> key = IdempotencyKey{caller_key(placing), *placing.idempotency_key, placing.request_hash};
  auto id = random_.id<OrderId>(clock_.wall());
  std::optional<Claim> standing;
  if (const auto met = OrderId::parse(co_await rendezvous_.agree(context, *key, id.text())); met && *met != id) {
    CO_TRY(standing, co_await read(database_, context, standing_claim, *key, clock_.wall()));
    id = *met;
  }
  constexpr int attempts = 3;
  for (int attempt = 1;; ++attempt) {
    if (standing && standing->status != 0) co_return standing->body;
    if (standing) id = *OrderId::parse(standing->resource);
    auto placed = co_await place_as(context, placing, id, key);
    if (placed) co_return placed;
    const bool claimed = standing || attempt > 1;
    if (nothing_was_reserved(placed.error()) && claimed) {
      CO_CHECK(co_await write(database_, context, release_claim_in, id.text()));
    } else if (!claimed) {  // there may have been one under this key before, that it has missed
      const auto first = co_await read(database_, context, standing_claim, *key, clock_.wall());
      if (first && *first && (*first)->status != 0) co_return (*first)->body;
      if (!first && first.error().code == Code::unprocessable) co_return Failure(first.error());
    }
    if (placed.error().name != "RESERVATION_RELEASED" || attempt == attempts) co_return placed;
    const auto now = clock_.wall();  // the id is spent: another, which the key holds from now on
    const auto fresh = random_.id<OrderId>(now);
    CO_TRY(standing, co_await write(database_, context, pass_on, *key, id, fresh, now));
    id = fresh;
  }
}

Task<Result<std::string>> OrderService::place_as(const Context& context, const Placing& placing, const OrderId& id,
                                                 const std::optional<IdempotencyKey>& key) {
  product::ReserveRequest wanted{id, {}, placing.currency};
  for (const auto& item : placing.request.items) wanted.items.push_back({item.variantId, {item.quantity.value}});
  auto quote = co_await stock_.reserve(context, std::move(wanted));
  if (!quote) {
    const auto& name = quote.error().name;
    const bool unknown = !nothing_was_reserved(quote.error()) && name != "RESERVATION_RELEASED" && name != "BUSY";  // BUSY: it was not even begun
    if (unknown) (void)co_await give_up(context, id);
    co_return fail(as_order_error(std::move(quote).error(), placing.request.items));
  }
  auto order = draft(placing, id, *quote);
  if (!order) {
    (void)co_await give_up(context, id);
    co_return Failure(std::move(order).error());
  }
  const Reader buyer{placing.language, placing.caller.may(Permission::read_order), true};
  auto answer = codec::to_json(order_for(*order, buyer));
  auto committed = co_await commits_.run(context, Ready{std::move(*order), std::move(answer), key, context.trace.traceparent()});
  if (!committed && committed.error().code != Code::unknown_outcome) (void)co_await give_up(context, id);
  co_return committed;  // an unknown outcome is settled when the reservation expires
}

Result<StoredOrder> OrderService::draft(const Placing& placing, const OrderId& id, const product::ReserveAnswer& quote) {
  const auto now = clock_.wall();
  const auto& request = placing.request;
  StoredOrder order;
  auto& row = order.row;
  row.id = id;
  if (placing.caller.user()) {
    row.user_id = placing.caller.id;
    row.customer_name = placing.caller.name;
    row.customer_email = placing.caller.email;
    row.customer_avatar = placing.caller.profile_image;
  } else {
    row.guest_email = row.customer_email = request.guestEmail->value;
    if (request.guestName && !trimmed(request.guestName->value).empty()) row.guest_name = std::string(trimmed(request.guestName->value));
    row.customer_name = row.guest_name.value_or("Guest");
  }
  row.phone = request.phone.value;
  row.payment_method = request.paymentMethod;
  if (request.shippingAddress) row.shipping_address = completed_address(*request.shippingAddress);
  row.guest_token = random_.token();
  row.base_currency = quote.baseCurrency;
  row.display_currency = quote.currency;
  row.rate = quote.rate;
  row.created_at = row.updated_at = now;
  if (settings_.allow_backdating && request.overrideCreatedAt.is_string()) {
    if (auto at = Instant::parse(std::string_view(request.overrideCreatedAt.get_string())); at && *at <= now) row.created_at = *at;
  }
  // One item a line of the request, at the price that the reservation was made with.
  for (const auto& line : request.items) {
    const auto q = std::ranges::find(quote.lines, line.variantId, &product::QuoteLine::variantId);
    if (q == quote.lines.end()) return fail(Code::bad_upstream, "The catalogue's answer lacks a variant.");
    order.items.push_back({random_.id<OrderItemId>(now), id, static_cast<std::int64_t>(order.items.size()), q->productId, q->variantId,
                           q->productName, q->attributes, q->sku, q->imageUrl, q->price, q->costPrice, line.quantity.value});
  }
  CHECK(add_totals(row, order.items));
  return order;
}

// Nearly always nobody has decided on the order or claimed its key, and no row needs to be looked at. Where one stands, each order is on its own.
Task<Result<OrderService::Commits::Answers>> OrderService::commit(const Context& context, const Commits::Items& items) {
  const auto fresh = co_await write(database_, context, [&](Transaction& tx) { return commit_fresh_in(tx, items); });
  Commits::Answers answers;
  if (fresh) {
    for (const auto* ready : items) answers.push_back(ready->answer);
  } else if (fresh.error().name == "UNIQUE" && items.size() == 1) {
    answers.push_back(co_await write(database_, context, [&](Transaction& tx) { return commit_in(tx, *items.front()); }));
  } else {
    co_return Failure(fresh.error());
  }
  co_return answers;
}

Task<Result<void>> OrderService::commit_fresh_in(Transaction& tx, const Commits::Items& items) {
  const auto now = clock_.wall();
  std::vector<OrderId> ids;
  std::vector<AnsweredClaim> claims;
  for (const auto* ready : items) {
    ids.push_back(ready->order.row.id);
    if (ready->key) claims.push_back({&*ready->key, ids.back().text(), 201, ready->answer});
  }
  std::ranges::sort(ids);  // in which all lock them
  CO_CHECK(co_await store::place(tx, ids, now));
  CO_CHECK(co_await claim_fresh(tx, std::move(claims), now));
  std::vector<const StoredOrder*> orders;
  std::vector<Event> events;
  for (const auto* ready : items) {
    orders.push_back(&ready->order);
    events.push_back(event_of("ORDER_CREATED", ready->order));
    events.back().traceparent = ready->traceparent;
  }
  CO_CHECK(co_await store::insert_orders(tx, orders));
  co_return co_await outbox_.append(tx, std::move(events));
}

Task<Result<std::string>> OrderService::commit_in(Transaction& tx, const Ready& ready) {
  const auto now = clock_.wall();
  const auto& order = ready.order;
  CO_TRY(const auto outcome, co_await store::decide(tx, order.row.id, store::placed, now));
  if (outcome != store::placed) co_return fail(Code::conflict, "The order was given up meanwhile.", "RESERVATION_RELEASED");
  if (ready.key) {
    // A request under the same key may have come first with the same id: then its order is the answer.
    CO_TRY(const auto standing, co_await claim_answered(tx, *ready.key, order.row.id.text(), now, 201, ready.answer));
    if (standing && standing->resource != order.row.id.text()) {
      co_return fail(Code::conflict, "The key has passed to another attempt.", "RESERVATION_RELEASED");  // whose id alone can be placed
    }
    if (standing) co_return standing->body;
  }
  CO_CHECK(co_await store::insert_orders(tx, {&order}));
  CO_CHECK(co_await publish(tx, "ORDER_CREATED", order));
  co_return ready.answer;
}

Task<Result<void>> OrderService::publish(Transaction& tx, std::string type, const StoredOrder& order) {
  return outbox_.append(tx, event_of(std::move(type), order));
}

Task<Result<void>> OrderService::give_up(const Context& context, const OrderId& id) {
  CO_TRY(const auto outcome, co_await write(database_, context, [&](Transaction& tx) { return give_up_in(tx, id); }));
  if (outcome == store::placed) co_return Result<void>();
  CO_CHECK(co_await stock_.release(context, id, "Order was not completed"));
  co_return Result<void>();
}

Task<Result<std::string>> OrderService::give_up_in(Transaction& tx, const OrderId& id) {
  CO_TRY(auto outcome, co_await store::decide(tx, id, store::abandoned, clock_.wall()));
  if (outcome == store::abandoned) CO_CHECK(co_await release_claim(tx, id.text()));
  co_return outcome;
}

Task<Result<Settlement>> OrderService::settle(const Context& context, const OrderId& id) {
  co_return co_await write(database_, context, [&](Transaction& tx) { return settle_in(tx, id); });
}

Task<Result<Settlements>> OrderService::settle_all(const Context& context, const SettleRequest& request) {
  if (request.orderIds.empty() || request.orderIds.size() > 500) co_return fail(codec::faulty({{"orderIds", "must have 1 to 500 entries"}}));
  co_return co_await write(database_, context, [&](Transaction& tx) { return settle_all_in(tx, request.orderIds); });
}

Task<Result<Settlements>> OrderService::settle_all_in(Transaction& tx, std::vector<OrderId> ids) {
  std::ranges::sort(ids);  // in which those who place them lock them, too
  Settlements all;
  for (const auto& id : ids) {
    CO_TRY(all.settlements.emplace_back(), co_await settle_in(tx, id));
  }
  co_return all;
}

Task<Result<Settlement>> OrderService::settle_in(Transaction& tx, const OrderId& id) {
  CO_TRY(const auto outcome, co_await give_up_in(tx, id));
  if (outcome == store::abandoned) co_return Settlement{id, Outcome::ABANDONED};
  CO_TRY(const auto found, co_await store::order(tx, id));
  if (!found) co_return fail(Code::internal, "An order that was placed cannot be found.", "LOST_ORDER", id.text());
  co_return Settlement{id, returns_stock(found->row.status) ? Outcome::CANCELLED : Outcome::PLACED};
}

// --- reading

Task<Result<StoredOrder>> OrderService::load(const Context& context, const OrderId& id) {
  CO_TRY(auto found, co_await read(database_, context, store::order, id));
  if (!found) co_return no_order();
  co_return std::move(*found);
}

Task<Result<OrderPage>> OrderService::list(const Context& context, const OrderQuery& query, const std::string& language) {
  CO_TRY(const auto found, co_await read(database_, context, store::list, query));
  OrderPage page{{}, codec::pagination(found.total, query.page, query.limit)};
  for (const auto& stored : found.orders) page.data.push_back(order_for(stored, {language, true, false}));
  co_return page;
}

Task<Result<OrderPage>> OrderService::my_orders(const Context& context, const UserId& user, const PageQuery& query, const Reader& reader) {
  CO_TRY(const auto found, co_await read(database_, context, store::list_of_user, user, query));
  OrderPage page{{}, codec::pagination(found.total, query.page, query.limit)};
  for (const auto& stored : found.orders) page.data.push_back(order_for(stored, reader));
  co_return page;
}

Task<Result<Order>> OrderService::order(const Context& context, const OrderId& id, const Asker& asker) {
  CO_TRY(const auto stored, co_await load(context, id));
  const auto reader = reader_of(stored.row, asker);
  if (!reader.token && !asker.caller.may(Permission::read_order)) co_return no_order();
  co_return order_for(stored, reader);
}

Task<Result<Order>> OrderService::guest_lookup(const Context& context, const GuestLookup& request, const std::string& language,
                                               const std::string& client) {
  const bool by_token = request.token && !request.token->value.empty();
  const bool by_email = request.email && !request.email->value.empty();
  if (!by_token && !by_email) co_return fail(Code::invalid, "Give token or email beside orderId.");
  CO_CHECK(co_await limiter_.count(context, settings_.lookups, client));
  CO_TRY(const auto stored, co_await load(context, request.orderId));
  const bool token_fits = by_token && same_token(stored.row.guest_token, request.token->value);
  const bool email_fits = by_email && stored.row.customer_email && Email{*stored.row.customer_email}.key() == Email{request.email->value}.key();
  if (by_token ? !token_fits : !email_fits) co_return no_order();
  co_return order_for(stored, {language, false, token_fits});
}

Task<Result<Verified>> OrderService::verify_purchase(const Context& context, const UserId& user, const ProductId& product) {
  CO_TRY(const bool bought, co_await read(database_, context, store::delivered, user, product));
  co_return Verified{bought};
}

// --- changing

Task<Result<StoredOrder>> OrderService::change(const Context& context, const OrderId& id, Status to) {
  CO_TRY(auto stored, co_await write(database_, context, [&](Transaction& tx) { return change_in(tx, id, to); }));
  if (returns_stock(to)) {
    // The event will do it for certain; asking at once lets the client see the stock come back.
    if (auto released = co_await stock_.release(context, id, to == Status::CANCELLED ? "Order cancelled" : "Order failed"); !released) {
      log(Severity::warning, "orders", "stock will be released by the event", {{"order", id.text()}, {"detail", released.error().message}});
    }
  }
  co_return stored;
}

Task<Result<StoredOrder>> OrderService::change_in(Transaction& tx, const OrderId& id, Status to) {
  CO_TRY(auto stored, co_await store::order(tx, id));
  if (!stored) co_return no_order();
  const auto from = stored->row.status;
  if (from == to) co_return std::move(*stored);
  const auto refused = [&](Status present) {
    return fail(Code::conflict, fmt::format("An order that is {} cannot become {}.", codec::enum_text(present), codec::enum_text(to)),
                "INVALID_TRANSITION");
  };
  if (!may_become(from, to)) co_return refused(from);
  const auto now = clock_.wall();
  CO_TRY(const bool changed, co_await store::change_status(tx, id, from, to, now));
  if (!changed) {  // by somebody else meanwhile; to the same state, if it was the same wish
    CO_TRY(auto present, co_await store::order(tx, id));
    if (present && present->row.status == to) co_return std::move(*present);
    co_return refused(present ? present->row.status : from);
  }
  auto& row = stored->row;
  row.status = to;
  row.updated_at = now;
  ++row.version;
  if (to == Status::CANCELLED) CO_CHECK(co_await publish(tx, "ORDER_CANCELLED", *stored));
  if (to == Status::PAID) CO_CHECK(co_await publish(tx, "ORDER_PAID", *stored));
  if (to == Status::FAILED) {
    const FailedEvent failed{id, row.payment_failure_reason.value_or("Set by staff")};
    CO_CHECK(co_await outbox_.append(tx, {"order_events", id.text(), "ORDER_FAILED", first_event(row.version), codec::to_json(failed)}));
  }
  const StatusChangedEvent moved{id, from, to};
  CO_CHECK(co_await outbox_.append(tx, {"order_events", id.text(), "ORDER_STATUS_CHANGED", last_event(row.version), codec::to_json(moved)}));
  co_return std::move(*stored);
}

Task<Result<Order>> OrderService::cancel(const Context& context, const OrderId& id, const Asker& asker) {
  if (asker.caller.anonymous() && asker.guest_token.empty()) {
    co_return fail(Code::unauthenticated, "A token or the order's guest_token is needed.");
  }
  CO_TRY(const auto stored, co_await load(context, id));
  const auto reader = reader_of(stored.row, asker);
  if (!reader.token && !asker.caller.may(Permission::update_order)) co_return no_order();
  CO_TRY(const auto cancelled, co_await change(context, id, Status::CANCELLED));
  co_return order_for(cancelled, reader);
}

Task<Result<Order>> OrderService::set_status(const Context& context, const OrderId& id, Status to, const Asker& asker) {
  CO_TRY(const auto stored, co_await change(context, id, to));
  co_return order_for(stored, reader_of(stored.row, asker));
}

// --- copies of users

Task<Result<void>> OrderService::keep_user(const Context& context, const store::UserCopy& user) {
  co_return co_await write(database_, context, store::put_user, user);
}

Task<Result<void>> OrderService::deactivate_user(const Context& context, const UserId& id, std::int64_t version) {
  co_return co_await write(database_, context, store::deactivate_user, id, version);
}

}  // namespace shop::order

#include <algorithm>

#include "observe/log.hpp"
#include "services/product/service.hpp"

namespace shop::product {
namespace {

using store::ReservationStatus;

bool once_per_order(MovementType type) {
  return type == MovementType::ORDER || type == MovementType::ORDER_CANCELLED || type == MovementType::RETURN_RESTOCK;
}

Failure no_variant() { return fail(Code::not_found, "Variant not found."); }

// One entry a variant, in the order of ids: rows are locked in one order everywhere, so that no two orders wait for each other.
std::vector<store::Take> in_order(const std::map<VariantId, std::int64_t>& sums) {
  std::vector<store::Take> takes;
  for (const auto& [id, quantity] : sums) takes.push_back({id, quantity});
  return takes;
}

std::vector<store::Take> merged(const std::vector<ReserveLine>& lines) {
  std::map<VariantId, std::int64_t> sums;
  for (const auto& line : lines) sums[line.variantId] += line.quantity;
  return in_order(sums);
}

using Left = std::map<VariantId, store::StockRow>;  // of the rows that this transaction holds

// Names every line that cannot be had.
std::optional<Error> shortage(const std::vector<store::Take>& takes, const Left& left) {
  Error insufficient{Code::invalid, {}, "INSUFFICIENT_STOCK", {}, {}, {}};
  Error unknown{Code::not_found, {}, "UNKNOWN_VARIANT", {}, {}, {}};
  for (const auto& take : takes) {
    const auto found = left.find(take.variant_id);
    const auto id = take.variant_id.text();
    if (found == left.end() || !found->second.is_active) {
      unknown.faults.push_back({id, "names no variant that is sold"});
    } else if (found->second.stock < take.quantity) {
      insufficient.faults.push_back({id, fmt::format("only {} left", found->second.stock)});
    }
  }
  Error& error = unknown.faults.empty() ? insufficient : unknown;
  if (error.faults.empty()) return std::nullopt;
  for (const auto& fault : error.faults) {
    error.message += error.message.empty() ? "" : "; ";
    error.message += unknown.faults.empty() ? fmt::format("Insufficient stock for variant {}: {}", fault.path, fault.message)
                                            : fmt::format("Variant {} is not known", fault.path);
  }
  error.message += '.';
  return std::move(error);
}

constexpr std::string_view nobody = "NOBODY_SERVED";  // why a transaction is rolled back, although nothing failed

std::vector<ProductId> products_of(const std::vector<store::ReservationLine>& lines) {
  std::set<ProductId> ids;
  for (const auto& line : lines) ids.insert(line.product_id);
  return {ids.begin(), ids.end()};
}

Task<Result<std::vector<store::ReservationLine>>> reserved_before(Transaction& tx, const OrderId& order) {
  CO_TRY(const auto status, co_await store::reservation(tx, order));
  if (!status) co_return fail(Code::unavailable, "The reservation was dropped meanwhile; ask again.");
  if (status == ReservationStatus::RELEASED) {
    co_return fail(Code::conflict, "The reservation of this order has been given back.", "RESERVATION_RELEASED");
  }
  co_return co_await store::reservation_lines(tx, order);
}

// The snapshots are in the order of their ids.
std::vector<QuoteLine> quoted(const std::vector<store::ReservationLine>& lines, const std::vector<SnapshotPtr>& snapshots) {
  std::vector<QuoteLine> quotes;
  for (const auto& line : lines) {
    auto& quote = quotes.emplace_back(QuoteLine{line.variant_id, line.product_id, line.quantity, line.price, line.cost_price, {}, {}, {}, {}});
    const auto of = std::ranges::lower_bound(snapshots, line.product_id, {}, [](const SnapshotPtr& snapshot) { return snapshot->product.id; });
    if (of == snapshots.end() || (*of)->product.id != line.product_id) continue;
    const auto& snapshot = **of;
    quote.productName = snapshot.product.name;
    quote.sku = snapshot.product.sku;
    quote.imageUrl = primary_image(snapshot.images);
    const auto variant = std::ranges::find(snapshot.variants, line.variant_id, &VariantRow::id);
    if (variant != snapshot.variants.end()) quote.attributes = variant->attributes;
  }
  return quotes;
}

}  // namespace

StockService::StockService(Tools tools, Settings settings, OrderPeer orders)
    : tools_(tools), settings_(settings), orders_(std::move(orders)),
      reservations_(tools.clock, [this](const Context& context, const Reservations::Items& items) { return reserve_all(context, items); }) {}

// --- adjustments

Task<Result<AdjustAnswer>> StockService::adjust(const Context& context, const VariantId& id, const AdjustStock& request,
                                                const std::optional<IdempotencyKey>& key) {
  co_return co_await write(tools_.database, context, [&](Transaction& tx) { return adjust_in(tx, id, request, key); });
}

Task<Result<AdjustAnswer>> StockService::adjust_in(Transaction& tx, const VariantId& id, const AdjustStock& request,
                                                   const std::optional<IdempotencyKey>& key) {
  const auto now = tools_.clock.wall();
  if (key) {
    CO_TRY(const auto standing, co_await claim(tx, *key, id.text(), now));
    if (standing) co_return codec::from_json<AdjustAnswer>(standing->body);
  }
  CO_TRY(const auto row, co_await store::variant(tx, id));
  if (!row) co_return no_variant();

  Movement movement{tools_.random.id<MovementId>(now), id, request.changeQuantity.value, request.type, request.timestamp.value_or(now), {}, {}};
  if (request.reason) movement.reason = request.reason->value;
  if (request.relatedOrderId && !request.relatedOrderId->value.empty()) movement.relatedOrderId = request.relatedOrderId->value;

  AdjustAnswer answer{"Stock adjusted.", movement, row->stock_quantity};
  CO_TRY(const bool first, co_await store::insert_movement(tx, movement));
  if (first) {
    CO_TRY(const auto stock, co_await store::change_stock(tx, id, movement.changeQuantity, now));
    if (!stock) {
      co_return fail(Error{Code::invalid, fmt::format("Insufficient stock for variant {}: only {} left.", id.text(), row->stock_quantity),
                           "INSUFFICIENT_STOCK", {{"changeQuantity", fmt::format("only {} left", row->stock_quantity)}}, {}, {}});
    }
    answer.newStockQuantity = *stock;
    const std::vector<ProductId> changed{row->product_id};
    CO_CHECK(co_await announce_stock(tools_, tx, changed));
  } else if (once_per_order(movement.type) && movement.relatedOrderId) {
    CO_TRY(const auto before, co_await store::order_movement(tx, *movement.relatedOrderId, id, movement.type));
    if (before) answer.movement = *before;
  }
  if (key) CO_CHECK(co_await settle_claim(tx, *key, 201, codec::to_json(answer)));
  co_return answer;
}

Task<Result<std::vector<Movement>>> StockService::history(const Context& context, const VariantId& id) {
  co_return co_await read(tools_.database, context, store::movements, id);
}

// --- reservations

Task<Result<ReserveAnswer>> StockService::reserve(const Context& context, const ReserveRequest& request) {
  if (request.items.empty() || request.items.size() > 100) {
    co_return fail(codec::faulty({{"items", "must have 1 to 100 entries"}}));
  }
  CO_TRY(const auto table, co_await tools_.catalogue.currencies(context));
  ReserveAnswer answer{request.orderId, "RESERVED", table->base, request.currency.value_or(table->base), Rate{}, {}};
  if (const auto rate = table->rows.find(answer.currency); rate != table->rows.end()) {
    answer.rate = rate->second.rateVsBase;
  } else {
    co_return fail(Error{Code::invalid, fmt::format("The currency {} is not known.", answer.currency.text()), "UNKNOWN_CURRENCY",
                         {{"X-Currency", "names no currency of this shop"}}, {}, {}});
  }
  CO_TRY(answer.lines, co_await reservations_.run(context, Wanted{request.orderId, merged(request.items)}));
  co_return answer;
}

Task<Result<StockService::Reservations::Answers>> StockService::reserve_all(const Context& context, const Reservations::Items& items) {
  Wishes wishes;
  for (const auto* item : items) wishes.emplace(item->order, &item->takes);
  CO_TRY(const auto reserved, co_await reserve_once(context, wishes));
  std::set<ProductId> products;
  for (const auto& [order, lines] : reserved) {
    if (lines) std::ranges::transform(*lines, std::inserter(products, products.end()), &store::ReservationLine::product_id);
  }
  CO_TRY(const auto snapshots, co_await tools_.catalogue.products(context, {products.begin(), products.end()}, Catalogue::Of::details));
  Reservations::Answers answers;
  for (const auto* item : items) {
    const auto& lines = reserved.at(item->order);
    answers.push_back(lines ? Result<std::vector<QuoteLine>>(quoted(*lines, snapshots)) : Failure(lines.error()));
  }
  co_return answers;
}

Task<Result<StockService::Reserved>> StockService::reserve_once(const Context& context, const Wishes& wishes) {
  Reserved reserved;
  const auto written = co_await write(tools_.database, context, [&](Transaction& tx) { return reserve_in(tx, wishes, reserved); });
  const auto& order = wishes.begin()->first;
  if (!written && written.error().name == "UNIQUE" && wishes.size() == 1) {
    CO_TRY(auto lines, co_await read(tools_.database, context, reserved_before, order));
    reserved.insert_or_assign(order, std::move(lines));
  } else if (!written && written.error().name != nobody) {
    co_return Failure(written.error());
  }
  co_return reserved;
}

Task<Result<void>> StockService::reserve_in(Transaction& tx, const Wishes& wishes, Reserved& reserved) {
  const auto now = tools_.clock.wall();
  reserved.clear();
  std::vector<OrderId> orders;
  std::set<VariantId> variants;
  for (const auto& [order, takes] : wishes) {
    orders.push_back(order);
    for (const auto& take : *takes) variants.insert(take.variant_id);
  }
  CO_CHECK(co_await store::hold(tx, orders, now + settings_.reservation_lifetime, now));
  CO_TRY(auto rows, co_await store::hold_stock(tx, {variants.begin(), variants.end()}));
  Left left;
  for (auto& row : rows) left.emplace(row.variant_id, std::move(row));

  std::map<VariantId, std::int64_t> taken;
  std::set<ProductId> products;
  std::vector<OrderId> refused;
  std::vector<std::pair<OrderId, store::ReservationLine>> all_lines;
  std::vector<Movement> movements;
  for (const auto& [order, takes] : wishes) {
    if (auto error = shortage(*takes, left)) {
      refused.push_back(order);
      reserved.emplace(order, fail(std::move(*error)));
      continue;
    }
    Lines lines;
    for (const auto& take : *takes) {
      auto& row = left.at(take.variant_id);
      row.stock -= take.quantity;
      taken[take.variant_id] += take.quantity;
      products.insert(row.product_id);
      lines.push_back({take.variant_id, row.product_id, take.quantity, row.price, row.cost_price});
      all_lines.emplace_back(order, lines.back());
      movements.push_back({tools_.random.id<MovementId>(now), take.variant_id, -take.quantity, MovementType::ORDER, now, "Order", order.text()});
    }
    reserved.emplace(order, std::move(lines));
  }
  CO_CHECK(co_await store::drop_reservations(tx, refused));
  if (refused.size() == wishes.size()) co_return fail(Code::conflict, "There is not enough for anybody.", std::string(nobody));
  CO_CHECK(co_await store::take_stock(tx, in_order(taken), now));
  CO_CHECK(co_await store::insert_lines(tx, all_lines));
  CO_CHECK(co_await store::insert_movements(tx, movements));
  co_return co_await announce_stock(tools_, tx, {products.begin(), products.end()});
}

Task<Result<ReleaseAnswer>> StockService::release(const Context& context, const OrderId& order, const std::string& reason) {
  CO_CHECK(co_await write(tools_.database, context, [&](Transaction& tx) { return release_in(tx, order, reason); }));
  co_return ReleaseAnswer{order, "RELEASED"};
}

Task<Result<void>> StockService::release_in(Transaction& tx, const OrderId& order, const std::string& reason) {
  const auto now = tools_.clock.wall();
  // The gravestone: a reservation that is still on its way must not take anything any more.
  CO_TRY(const bool never_held, co_await store::insert_reservation(tx, order, ReservationStatus::RELEASED, now, now));
  if (never_held) co_return Result<void>();
  CO_TRY(const bool was_held, co_await store::set_reservation(tx, order, ReservationStatus::HELD, ReservationStatus::RELEASED));
  bool mine = was_held;
  if (!mine) {
    CO_TRY(mine, co_await store::set_reservation(tx, order, ReservationStatus::CONFIRMED, ReservationStatus::RELEASED));
  }
  if (!mine) co_return Result<void>();  // given back before

  CO_TRY(const auto lines, co_await store::reservation_lines(tx, order));
  std::vector<Movement> movements;
  for (const auto& line : lines) {
    // The variant may have been deleted since: then there is no stock to give back to, only history to complete.
    CO_CHECK(co_await store::change_stock(tx, line.variant_id, line.quantity, now));
    movements.push_back({tools_.random.id<MovementId>(now), line.variant_id, line.quantity, MovementType::ORDER_CANCELLED, now, reason, order.text()});
  }
  CO_CHECK(co_await store::insert_movements(tx, movements));
  co_return co_await announce_stock(tools_, tx, products_of(lines));
}

Task<Result<void>> StockService::confirm(const Context& context, const std::vector<OrderId>& orders) {
  if (orders.empty()) co_return Result<void>();
  auto in_order = orders;  // of ids, as rows are locked everywhere
  std::ranges::sort(in_order);
  co_return co_await write(tools_.database, context, store::confirm_reservations, in_order);
}

Task<Result<bool>> StockService::sweep(const Context& context) {
  constexpr std::int64_t chunk = 200;
  CO_TRY(const auto expired, co_await read(tools_.database, context, store::expired_reservations, tools_.clock.wall(), chunk));
  if (expired.empty()) co_return false;
  auto settled = co_await settle(context, expired);
  if (!settled && traits(settled.error().code).retryable) co_return Failure(std::move(settled).error());
  if (!settled) {  // one of them cannot be settled; it must not keep the others waiting
    for (const auto& order : expired) {
      const std::vector<OrderId> one{order};
      if (auto alone = co_await settle(context, one); !alone) {
        log(Severity::error, "stock sweeper", "a reservation cannot be settled",
            {{"order", order.text()}, {"cause", alone.error().message}, {"detail", alone.error().detail}});
      }
    }
  }
  co_return settled && expired.size() == static_cast<std::size_t>(chunk);
}

Task<Result<void>> StockService::settle(const Context& context, const std::vector<OrderId>& orders) {
  CO_TRY(const auto answer, co_await orders_.settle(context, orders));
  // A release locks variants too, so each is a transaction of its own: several in one would lock them in no order.
  std::vector<OrderId> placed;
  for (const auto& settlement : answer.settlements) {
    if (settlement.outcome == order::Outcome::PLACED) placed.push_back(settlement.orderId);
    else CO_CHECK(co_await release(context, settlement.orderId, "Order was not completed"));
  }
  CO_CHECK(co_await confirm(context, placed));
  const auto given_back = static_cast<std::int64_t>(answer.settlements.size() - placed.size());
  if (given_back > 0) log(Severity::info, "stock sweeper", "reservations given back", {{"count", given_back}});
  co_return Result<void>();
}

}  // namespace shop::product

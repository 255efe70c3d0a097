#include "services/order/store.hpp"

#include "runtime/consumer.hpp"
#include "runtime/idempotency.hpp"
#include "runtime/outbox.hpp"

namespace shop::order::store {
namespace {

constexpr char initial[] = {
#embed "schema/0001_initial.sql"
    , 0};

constexpr Migration all_migrations[] = {
    {1, "0001_initial", initial},
    {2, "outbox", Outbox::schema},
    {3, "inbox", inbox_schema},
    {4, "idempotency", idempotency_schema},
    {5, "items_by_product_dropped", "DROP INDEX order_items_product"},  // a buyer's own orders find them
};

constexpr Query order_insert{
    "order_insert",
    "INSERT INTO orders (id, user_id, guest_email, guest_name, customer_name, customer_email, customer_avatar, phone, status,"
    " payment_method, shipping_address, payment_transaction_id, payment_failure_reason, guest_token, total_minor, base_currency,"
    " display_currency, rate_micros, display_total_minor, version, created_at, updated_at, search_text)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)"};

// A token is kept behind the beginning of its order's id, which is the time: it is unique and random, and would else cost every order a page of
// its own in the index. Orders of earlier versions have the token alone.
std::string kept_token(const OrderRow& row) { return row.id.text().substr(0, 13) + row.guest_token; }
#define ORDER_TOKEN "substr(o.guest_token, length(o.guest_token) - 63)"

// A user's present name and picture when there is a copy, those of the day of the order otherwise.
#define ORDER_COLUMNS                                                                                                       \
  "o.id, o.user_id, o.guest_email, o.guest_name, COALESCE(u.name, o.customer_name), COALESCE(u.email, o.customer_email),"    \
  " COALESCE(u.profile_image, o.customer_avatar), o.phone, o.status, o.payment_method, o.shipping_address,"                  \
  " o.payment_transaction_id, o.payment_failure_reason, " ORDER_TOKEN ", o.total_minor, o.base_currency, o.display_currency," \
  " o.rate_micros, o.display_total_minor, o.version, o.created_at, o.updated_at"
#define ORDER_FROM " FROM orders o LEFT JOIN user_copies u ON u.id = o.user_id"

constexpr Query order_find{"order_find", "SELECT " ORDER_COLUMNS ORDER_FROM " WHERE o.id = $1"};
constexpr Query order_status{"order_status",
                             "UPDATE orders SET status = $3, updated_at = $4, version = version + 1 WHERE id = $1 AND status = $2"};

#define ITEM_COLUMNS                                                                                                     \
  "id, order_id, position, product_id, variant_id, product_name, variant_attributes, sku, image_url, price, cost_price," \
  " quantity"
constexpr Query item_insert{"item_insert",
                            "INSERT INTO order_items (" ITEM_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"};
constexpr Query items_of{"items_of", "SELECT " ITEM_COLUMNS " FROM order_items WHERE order_id = $1 ORDER BY position"};
constexpr Query items_in = WITH_IDS("items_in", "SELECT " ITEM_COLUMNS " FROM order_items WHERE order_id", " ORDER BY position");

#define OUTCOME_INSERT "INSERT INTO order_outcomes (order_id, outcome, decided_at) VALUES ($1, $2, $3)"
constexpr Query outcome_place{"outcome_place", OUTCOME_INSERT};
constexpr Query outcome_insert{"outcome_insert", OUTCOME_INSERT " ON CONFLICT (order_id) DO NOTHING"};
constexpr Query outcome_find{"outcome_find", "SELECT outcome FROM order_outcomes WHERE order_id = $1"};

constexpr Query delivered_count{"delivered_count",
                                "SELECT count(*) FROM orders o JOIN order_items i ON i.order_id = o.id"
                                " WHERE o.user_id = $1 AND o.status = 'DELIVERED' AND i.product_id = $2"};

constexpr Query user_put{"user_put",
                         "INSERT INTO user_copies (id, name, email, profile_image, is_active, version) VALUES ($1, $2, $3, $4, $5, $6)"
                         " ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email,"
                         " profile_image = excluded.profile_image, is_active = excluded.is_active, version = excluded.version"
                         " WHERE user_copies.version <= excluded.version"};  // equal: the same again, which mends a copy
constexpr Query user_off{"user_off", "UPDATE user_copies SET is_active = FALSE, version = $2 WHERE id = $1 AND version < $2"};

std::string search_text(const OrderRow& row) {
  std::string text = row.id.text();
  for (const auto& part : {std::optional(row.customer_name), row.customer_email, row.guest_name, row.guest_email, std::optional(row.phone)}) {
    if (part) (text += '\n') += fold(*part);
  }
  return text;
}

std::string_view column_of(OrderSort sort) {
  switch (sort) {
    case OrderSort::createdAt: return "o.created_at";
    case OrderSort::totalAmount: return "o.total_minor";
    case OrderSort::updatedAt: return "o.updated_at";
    case OrderSort::status: return "o.status";
  }
  return "o.created_at";
}

std::string like_pattern(std::string_view text) {
  std::string pattern = "%";
  for (char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern += '%';
}

Task<Result<std::vector<StoredOrder>>> with_items(Transaction& tx, std::vector<OrderRow> rows) {
  std::vector<StoredOrder> orders;
  std::vector<OrderId> ids;
  for (auto& row : rows) {
    ids.push_back(row.id);
    orders.push_back({std::move(row), {}});
  }
  if (ids.empty()) co_return orders;
  CO_TRY(auto items, co_await select<ItemRow>(tx, items_in, ids));
  for (auto& item : items) {
    const auto owner = std::ranges::find_if(orders, [&](const auto& o) { return o.row.id == item.order_id; });
    if (owner != orders.end()) owner->items.push_back(std::move(item));
  }
  co_return orders;
}

Task<Result<OrderList>> list_where(Transaction& tx, std::string where, Params params, std::string order_by, std::int64_t page,
                                   std::int64_t limit) {
  OrderList found;
  const std::string count = "SELECT count(*) FROM orders o WHERE TRUE" + where;
  CO_TRY(found.total, co_await number_bound(tx, Query{"order_list_count", count}, params));
  const std::string sql = fmt::format("SELECT " ORDER_COLUMNS ORDER_FROM " WHERE TRUE{} ORDER BY {} LIMIT {} OFFSET {}", where, order_by,
                                      limit, (page - 1) * limit);
  CO_TRY(auto rows, co_await rows_of<OrderRow>(tx, Query{"order_list", sql}, params));
  CO_TRY(found.orders, co_await with_items(tx, std::move(rows)));
  co_return found;
}

}  // namespace

const std::span<const Migration> migrations{all_migrations};

Task<Result<void>> insert_orders(Transaction& tx, const std::vector<const StoredOrder*>& orders) {
  std::vector<Params> rows, items;
  for (const auto* order : orders) {
    const auto& r = order->row;
    rows.push_back(codec::params_of(r.id, r.user_id, r.guest_email, r.guest_name, r.customer_name, r.customer_email, r.customer_avatar, r.phone,
                                    r.status, r.payment_method, r.shipping_address, r.payment_transaction_id, r.payment_failure_reason, kept_token(r),
                                    r.total_minor, r.base_currency, r.display_currency, r.rate, r.display_total_minor, r.version, r.created_at,
                                    r.updated_at, search_text(r)));
    for (const auto& i : order->items) {
      items.push_back(codec::params_of(i.id, i.order_id, i.position, i.product_id, i.variant_id, i.product_name, i.variant_attributes, i.sku,
                                       i.image_url, i.price, i.cost_price, i.quantity));
    }
  }
  CO_CHECK(co_await tx.later(order_insert, std::move(rows)));
  co_return co_await tx.later(item_insert, std::move(items));
}

Task<Result<std::optional<StoredOrder>>> order(Transaction& tx, const OrderId& id) {
  CO_TRY(auto row, co_await select_one<OrderRow>(tx, order_find, id));
  if (!row) co_return std::optional<StoredOrder>();
  CO_TRY(auto items, co_await select<ItemRow>(tx, items_of, id));
  co_return std::optional(StoredOrder{std::move(*row), std::move(items)});
}

Task<Result<bool>> change_status(Transaction& tx, const OrderId& id, Status from, Status to, Instant now) {
  CO_TRY(const auto count, co_await execute(tx, order_status, id, from, to, now));
  co_return count > 0;
}

Task<Result<std::string>> decide(Transaction& tx, const OrderId& id, const std::string& outcome, Instant now) {
  CO_TRY(const auto count, co_await execute(tx, outcome_insert, id, outcome, now));
  if (count > 0) co_return outcome;
  CO_TRY(const auto standing, co_await select_one<std::string>(tx, outcome_find, id));
  co_return standing.value_or(outcome);
}

Task<Result<void>> place(Transaction& tx, const std::vector<OrderId>& ids, Instant now) {
  std::vector<Params> sets;
  for (const auto& id : ids) sets.push_back(codec::params_of(id, placed, now));
  return tx.later(outcome_place, std::move(sets));
}

Task<Result<OrderList>> list(Transaction& tx, const OrderQuery& query) {
  std::string where;
  Params params;
  const auto parameter = [&](Value value) {
    params.push_back(std::move(value));
    return fmt::format("${}", params.size());
  };
  if (query.status) where += " AND o.status = " + parameter(codec::to_value(*query.status));
  if (query.paymentMethod) where += " AND o.payment_method = " + parameter(codec::to_value(*query.paymentMethod));
  if (query.search && !trimmed(query.search->value).empty()) {
    where += " AND o.search_text LIKE " + parameter(like_pattern(fold(trimmed(query.search->value)))) + " ESCAPE '\\'";
  }
  const std::string_view direction = query.sortOrder.value_or(SortOrder::desc) == SortOrder::asc ? "ASC" : "DESC";
  const auto order_by = fmt::format("{} {}, o.id {}", column_of(query.sortBy.value_or(OrderSort::createdAt)), direction, direction);
  co_return co_await list_where(tx, std::move(where), std::move(params), order_by, query.page.value, query.limit.value);
}

Task<Result<OrderList>> list_of_user(Transaction& tx, const UserId& user, const PageQuery& query) {
  co_return co_await list_where(tx, " AND o.user_id = $1", codec::params_of(user), "o.created_at DESC, o.id DESC", query.page.value,
                                query.limit.value);
}

Task<Result<bool>> delivered(Transaction& tx, const UserId& user, const ProductId& product) {
  CO_TRY(const auto count, co_await number(tx, delivered_count, user, product));
  co_return count > 0;
}

Task<Result<void>> put_user(Transaction& tx, const UserCopy& u) {
  return perform(tx, user_put, u.id, u.name, u.email, u.profile_image, u.is_active, u.version);
}

Task<Result<void>> deactivate_user(Transaction& tx, const UserId& id, std::int64_t version) {
  return perform(tx, user_off, id, version);
}

}  // namespace shop::order::store

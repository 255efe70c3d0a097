#include "services/order/store_audit.hpp"

namespace shop::order::store {
namespace {

constexpr Query ids_after{"audit_order_ids", "SELECT id FROM orders WHERE id > $1 ORDER BY id LIMIT $2"};
constexpr Query orders_list{"audit_orders",
                            "SELECT o.id, o.status, o.total_minor, o.display_total_minor, o.base_currency, o.display_currency, o.rate_micros,"
                            " d.outcome FROM orders o LEFT JOIN order_outcomes d ON d.order_id = o.id WHERE o.id > $1 AND o.id <= $2"};
constexpr Query items_list{"audit_items",
                           "SELECT order_id, variant_id, quantity, price FROM order_items WHERE order_id > $1 AND order_id <= $2"};
constexpr Query missing_list{
    "audit_missing",
    "SELECT d.order_id, 'order_outcomes says PLACED' FROM order_outcomes d LEFT JOIN orders o ON o.id = d.order_id"
    " WHERE d.outcome = 'PLACED' AND o.id IS NULL"
    " UNION ALL SELECT k.resource, 'idempotency_keys answers 201 under ' || k.caller || ', ' || k.key FROM idempotency_keys k"
    " LEFT JOIN orders o ON o.id = k.resource WHERE k.status = 201 AND o.id IS NULL LIMIT $1"};
constexpr Query key_fault_list{
    "audit_keys",
    "SELECT caller, key, resource, 'the kept answer is of another order' FROM idempotency_keys"
    " WHERE status = 201 AND body NOT LIKE '%\"id\":\"' || resource || '\"%'"
    " UNION ALL SELECT k.caller, k.key, k.resource, 'two keys share this order' FROM idempotency_keys k JOIN"
    " (SELECT resource FROM idempotency_keys GROUP BY resource HAVING COUNT(*) > 1) twice ON twice.resource = k.resource LIMIT $1"};
constexpr Query users_list{"audit_user_copies",
                           "SELECT id, name, email, profile_image, is_active, version FROM user_copies WHERE id > $1 ORDER BY id LIMIT $2"};
constexpr Query exists_one{"audit_exists", "SELECT COUNT(*) FROM orders WHERE id = $1"};
constexpr Query untold{"audit_untold", "SELECT DISTINCT key FROM outbox WHERE topic = 'order_events'"};
constexpr Query count_all{"audit_order_count", "SELECT COUNT(*) FROM orders"};

struct OrderColumns {
  std::string id;
  Status status = Status::PENDING;
  std::int64_t total_minor = 0, display_total_minor = 0;
  Currency base_currency, display_currency;
  Rate rate;
  std::optional<std::string> outcome;
};
BOOST_DESCRIBE_STRUCT(OrderColumns, (), (id, status, total_minor, display_total_minor, base_currency, display_currency, rate, outcome))

struct ItemColumns {
  std::string order_id, variant_id;
  std::int64_t quantity = 0, price = 0;
};
BOOST_DESCRIBE_STRUCT(ItemColumns, (), (order_id, variant_id, quantity, price))

}  // namespace

Task<Result<std::vector<std::string>>> order_ids_after(Transaction& tx, const std::string& after, std::int64_t limit) {
  return select<std::string>(tx, ids_after, after, limit);
}

Task<Result<std::map<std::string, AuditedOrder>>> orders_between(Transaction& tx, const std::string& after, const std::string& last) {
  std::map<std::string, AuditedOrder> orders;
  CO_TRY(const auto rows, co_await select<OrderColumns>(tx, orders_list, after, last));
  for (const auto& r : rows) {
    orders[r.id] = {r.id, r.status, r.total_minor, r.display_total_minor, r.base_currency, r.display_currency, r.rate, r.outcome, {}};
  }
  CO_TRY(const auto items, co_await select<ItemColumns>(tx, items_list, after, last));
  for (const auto& item : items) orders[item.order_id].items.push_back({item.variant_id, item.quantity, item.price});
  co_return orders;
}

Task<Result<std::vector<MissingOrder>>> missing_orders(Transaction& tx, std::int64_t limit) {
  return select<MissingOrder>(tx, missing_list, limit);
}

Task<Result<std::vector<KeyFault>>> key_faults(Transaction& tx, std::int64_t limit) { return select<KeyFault>(tx, key_fault_list, limit); }

Task<Result<std::vector<CopiedUser>>> copied_users_after(Transaction& tx, const std::string& after, std::int64_t limit) {
  return select<CopiedUser>(tx, users_list, after, limit);
}

Task<Result<std::vector<std::string>>> orders_to_be_told(Transaction& tx) { return select<std::string>(tx, untold); }

Task<Result<bool>> order_exists(Transaction& tx, const std::string& id) {
  CO_TRY(const auto count, co_await number(tx, exists_one, id));
  co_return count == 1;
}

Task<Result<std::int64_t>> order_count(Transaction& tx) { return number(tx, count_all); }

}  // namespace shop::order::store

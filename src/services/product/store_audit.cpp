#include "services/product/store_audit.hpp"

#include "services/product/store.hpp"

namespace shop::product::store {
namespace {

constexpr Query stock_faults_list{
    "audit_stock",
    "SELECT v.id, v.product_id, v.stock_quantity, CAST(COALESCE(m.total, 0) AS BIGINT), CAST(COALESCE(m.count, 0) AS BIGINT) FROM variants v"
    " LEFT JOIN (SELECT variant_id, SUM(change_quantity) AS total, COUNT(*) AS count FROM stock_movements GROUP BY variant_id) m"
    " ON m.variant_id = v.id WHERE v.stock_quantity < 0 OR v.stock_quantity <> COALESCE(m.total, 0) ORDER BY v.id LIMIT $1"};

// The set of types is that of the index stock_movements_order, which so serves all of these.
#define OF_ORDERS "type IN ('ORDER', 'ORDER_CANCELLED', 'RETURN_RESTOCK')"

constexpr Query ids_after{
    "audit_ids",
    "SELECT order_id FROM (SELECT order_id FROM (SELECT order_id FROM reservations WHERE order_id > $1 ORDER BY order_id LIMIT $2) r"
    " UNION SELECT order_id FROM (SELECT DISTINCT related_order_id AS order_id FROM stock_movements"
    " WHERE " OF_ORDERS " AND related_order_id > $1 ORDER BY related_order_id LIMIT $2) m) ids ORDER BY order_id LIMIT $2"};

constexpr Query reservations_between{"audit_reservations",
                                     "SELECT order_id, status, expires_at FROM reservations WHERE order_id > $1 AND order_id <= $2"};
constexpr Query lines_between{"audit_lines",
                              "SELECT order_id, variant_id, quantity, price FROM reservation_lines WHERE order_id > $1 AND order_id <= $2"};
constexpr Query movements_between{
    "audit_movements",
    "SELECT related_order_id, variant_id, CAST(SUM(CASE WHEN type = 'ORDER' THEN -change_quantity ELSE 0 END) AS BIGINT),"
    " CAST(SUM(CASE WHEN type = 'ORDER_CANCELLED' THEN change_quantity ELSE 0 END) AS BIGINT) FROM stock_movements"
    " WHERE " OF_ORDERS " AND related_order_id > $1 AND related_order_id <= $2 GROUP BY related_order_id, variant_id"};

constexpr Query counts{"audit_counts",
                       "SELECT (SELECT COUNT(*) FROM variants), (SELECT COUNT(*) FROM stock_movements),"
                       " (SELECT COUNT(*) FROM reservations), (SELECT COUNT(*) FROM changed_products),"
                       " (SELECT CAST(COALESCE(MIN(seq), 0) AS BIGINT) FROM changed_products)"};

constexpr Query under_way{"audit_under_way", "SELECT product_id FROM changed_products UNION SELECT key FROM outbox WHERE topic = 'product_events'"};

constexpr std::int64_t max_documents = 500;

struct ReservationRow {
  std::string order_id, status;
  Instant expires_at;
};
BOOST_DESCRIBE_STRUCT(ReservationRow, (), (order_id, status, expires_at))

struct LineRow {
  std::string order_id, variant_id;
  std::int64_t quantity = 0, price = 0;
};
BOOST_DESCRIBE_STRUCT(LineRow, (), (order_id, variant_id, quantity, price))

struct LedgerRow {
  std::string order_id, variant_id;
  std::int64_t taken = 0, returned = 0;
};
BOOST_DESCRIBE_STRUCT(LedgerRow, (), (order_id, variant_id, taken, returned))

}  // namespace

Task<Result<std::vector<StockFault>>> stock_faults(Transaction& tx, std::int64_t limit) {
  return select<StockFault>(tx, stock_faults_list, limit);
}

Task<Result<std::vector<std::string>>> audited_ids_after(Transaction& tx, const std::string& after, std::int64_t limit) {
  return select<std::string>(tx, ids_after, after, limit);
}

Task<Result<std::map<std::string, OrderStock>>> order_stock(Transaction& tx, const std::string& after, const std::string& last) {
  std::map<std::string, OrderStock> orders;
  CO_TRY(const auto reservations, co_await select<ReservationRow>(tx, reservations_between, after, last));
  for (const auto& row : reservations) orders[row.order_id] = {row.status, row.expires_at, {}};
  CO_TRY(const auto lines, co_await select<LineRow>(tx, lines_between, after, last));
  for (const auto& row : lines) {
    auto& line = orders[row.order_id].lines[row.variant_id];
    line.reserved += row.quantity;
    line.price = row.price;
  }
  CO_TRY(const auto ledger, co_await select<LedgerRow>(tx, movements_between, after, last));
  for (const auto& row : ledger) {
    auto& line = orders[row.order_id].lines[row.variant_id];
    line.taken = row.taken;
    line.returned = row.returned;
  }
  co_return orders;
}

Task<Result<StockCounts>> stock_counts(Transaction& tx) {
  CO_TRY(auto row, co_await select_one<StockCounts>(tx, counts));
  co_return *row;
}

Task<Result<std::vector<std::string>>> products_under_way(Transaction& tx) { return select<std::string>(tx, under_way); }

Task<Result<DocumentPage>> documents(Transaction& tx, const DocumentQuery& query) {
  const auto limit = std::clamp<std::int64_t>(query.limit.value_or(max_documents), 1, max_documents);
  CO_TRY(const auto ids, co_await products_after(tx, query.after, limit));
  CO_TRY(const auto snapshots, co_await snapshots(tx, ids));
  DocumentPage page;
  for (const auto& snapshot : snapshots) {
    CO_TRY(const auto version, co_await version(tx, snapshot.product.id));
    page.documents.push_back({version, document_of(snapshot)});
  }
  if (ids.size() == static_cast<std::size_t>(limit)) page.next = ids.back();
  co_return page;
}

}  // namespace shop::product::store

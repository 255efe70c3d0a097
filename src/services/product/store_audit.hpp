// What `shopctl doctor` reads of product-service's store. Nothing is changed; reading goes in pages, so that a shop of any size
// can be checked.
#pragma once

#include "ports/database.hpp"
#include "services/product/api.hpp"

namespace shop::product::store {

// A variant whose movements do not sum to its stock, or whose stock is below 0.
struct StockFault {
  std::string variant_id, product_id;
  std::int64_t stock = 0, ledger = 0, movements = 0;
};
BOOST_DESCRIBE_STRUCT(StockFault, (), (variant_id, product_id, stock, ledger, movements))
Task<Result<std::vector<StockFault>>> stock_faults(Transaction& tx, std::int64_t limit);

// What one order reserved, took and gave back of one variant. `price` is the catalogue's at that moment.
struct StockLine {
  std::int64_t reserved = 0, taken = 0, returned = 0;
  std::optional<std::int64_t> price;
};

struct OrderStock {
  std::string status;  // of the reservation; empty: there is none
  Instant expires_at;
  std::map<std::string, StockLine> lines;  // by variant
};

// Orders that the ledger or a reservation names, by id.
Task<Result<std::vector<std::string>>> audited_ids_after(Transaction& tx, const std::string& after, std::int64_t limit);
Task<Result<std::map<std::string, OrderStock>>> order_stock(Transaction& tx, const std::string& after, const std::string& last);

struct StockCounts {
  std::int64_t variants = 0, movements = 0, reservations = 0, unpublished = 0, oldest_unpublished = 0;
};
BOOST_DESCRIBE_STRUCT(StockCounts, (), (variants, movements, reservations, unpublished, oldest_unpublished))
Task<Result<StockCounts>> stock_counts(Transaction& tx);

// Products of which the index has not been told yet.
Task<Result<std::vector<std::string>>> products_under_way(Transaction& tx);

// Products as the search index should hold them, by id.
Task<Result<DocumentPage>> documents(Transaction& tx, const DocumentQuery& query);

}  // namespace shop::product::store

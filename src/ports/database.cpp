#include "ports/database.hpp"

namespace shop {

Task<Result<std::int64_t>> execute_bound(Transaction& tx, const Query& query, Params params) {
  CO_TRY(const Rows rows, co_await tx.run(query, std::move(params)));
  co_return rows.affected;
}

}  // namespace shop

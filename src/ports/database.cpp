#include "ports/database.hpp"

namespace shop {

Task<Result<std::int64_t>> execute_bound(Transaction& tx, const Query& query, Params params) {
  CO_TRY(const Rows rows, co_await tx.run(query, std::move(params)));
  co_return rows.affected;
}

Task<Result<void>> Transaction::later(const Query& query, std::vector<Params> sets) {
  CO_CHECK(co_await run_each(query, std::move(sets)));
  co_return Result<void>();
}

Task<Result<void>> perform_bound(Transaction& tx, const Query& query, Params params) {
  CO_CHECK(co_await tx.run(query, std::move(params)));
  co_return Result<void>();
}

Task<Result<std::int64_t>> number_bound(Transaction& tx, const Query& query, Params params) {
  CO_TRY(const auto value, co_await row_of<std::int64_t>(tx, query, std::move(params)));
  co_return value.value_or(0);
}

}  // namespace shop

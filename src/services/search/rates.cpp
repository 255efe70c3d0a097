#include "services/search/rates.hpp"

#include <algorithm>

namespace shop::search {
namespace {

constexpr milliseconds lifetime{1000};

}  // namespace

Task<Result<Rates::Table>> Rates::table(const Context& context) {
  Table known;
  {
    const std::lock_guard lock(mutex_);
    if (table_ && clock_.now() - loaded_ < lifetime) co_return table_;
    known = table_;
  }
  const auto asked = clock_.now();
  auto rows = co_await catalogue_.currencies(context);
  if (!rows) {
    if (known && traits(rows.error().code).retryable) co_return known;
    co_return Failure(std::move(rows).error());
  }
  const std::lock_guard lock(mutex_);
  table_ = std::make_shared<const std::vector<product::CurrencyRow>>(std::move(*rows));
  loaded_ = asked;
  co_return table_;
}

Task<Result<std::optional<Conversion>>> Rates::conversion(const Context& context, const std::optional<Currency>& wanted) {
  if (!wanted) co_return std::optional<Conversion>();
  CO_TRY(const auto rows, co_await table(context));
  const auto row = std::ranges::find(*rows, *wanted, &product::CurrencyRow::code);
  if (row == rows->end()) {
    co_return fail(Error{Code::invalid, fmt::format("The currency {} is not known.", wanted->text()), "UNKNOWN_CURRENCY",
                         {{"X-Currency", "names no currency of this shop"}}, {}, {}});
  }
  if (row->isBase) co_return std::optional<Conversion>();
  co_return std::optional(Conversion{row->code, row->rateVsBase});
}

}  // namespace shop::search

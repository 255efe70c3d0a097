// Currency rates, asked of product-service at most once a second.
#pragma once

#include <memory>
#include <mutex>

#include "ports/clock.hpp"
#include "services/search/clients.hpp"

namespace shop::search {

class Rates {
 public:
  Rates(CataloguePeer catalogue, Clock& clock) : catalogue_(catalogue), clock_(clock) {}

  // How prices are shown in `wanted`; nothing: as they are, in the base currency. invalid when the shop does not know it.
  // While product-service cannot be asked, what it last said stays in use.
  Task<Result<std::optional<Conversion>>> conversion(const Context& context, const std::optional<Currency>& wanted);

 private:
  using Table = std::shared_ptr<const std::vector<product::CurrencyRow>>;

  Task<Result<Table>> table(const Context& context);

  CataloguePeer catalogue_;
  Clock& clock_;
  std::mutex mutex_;
  Table table_;
  Monotonic loaded_;
};

}  // namespace shop::search

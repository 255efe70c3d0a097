#include "services/search/module.hpp"

namespace shop::search {

// The index keeps each product's version: older and doubled events have no effect. Changes of categories arrive as new
// documents of their products.
Task<Result<void>> SearchModule::handle(const Context& context, const std::vector<ReceivedEvent>& events) {
  std::vector<SearchIndex::Write> writes;
  for (const auto& event : events) {
    if (event.type == "PRODUCT_CREATED" || event.type == "PRODUCT_UPDATED") {
      CO_TRY(auto product, codec::from_value<IndexedProduct>(event.payload));
      writes.push_back(write_of(std::move(product), event.version));
    } else if (event.type == "PRODUCT_DELETED") {
      CO_TRY(const auto deleted, codec::from_value<product::DeletedEvent>(event.payload));
      writes.push_back({ProductId{deleted.id}, event.version, {}});
    }
  }
  if (writes.empty()) co_return Result<void>();
  co_return co_await index_.apply(context, std::move(writes));
}

}  // namespace shop::search

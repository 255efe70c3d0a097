#include "services/search/handlers.hpp"

namespace shop::search {

Task<Result<Rendered<SearchAnswer>>> Handlers::search(Call& call, Query<SearchRequest> query) {
  CO_TRY(const auto currency, call.currency());
  CO_TRY(auto json, co_await service_.search(call.context, query.value, call.language, currency));
  co_return Rendered<SearchAnswer>{std::make_shared<const std::string>(std::move(json))};
}

Task<Result<RebuildReport>> Handlers::reindex(Call&) { co_return rebuilder_.request(); }

Task<Result<RebuildReport>> Handlers::rebuild_report(Call&) { co_return rebuilder_.report(); }

}  // namespace shop::search

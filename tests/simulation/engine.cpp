#include "simulation/engine.hpp"

namespace shop::simulation {
namespace {

Failure away() { return fail(Code::unavailable, "The search engine cannot be reached."); }
Failure late() { return fail(Code::timed_out, "The search engine did not answer in time."); }
Failure no_rebuild() { return fail(Code::conflict, "No rebuild of the search index is running.", "NO_REBUILD"); }

}  // namespace

bool FaultyIndex::strikes(unsigned per_mille, std::string_view kind) {
  if (!simulation_.dice().chance(per_mille)) return false;
  simulation_.struck(kind);
  return true;
}

// What the failure loop wants of this call, when the engine hears of it at all.
Task<Result<CallFault>> FaultyIndex::reached() {
  const auto planned = planned_("index");
  if (planned == CallFault::fails) co_return away();
  if (planned == CallFault::times_out) co_return late();
  co_await clock_.sleep(simulation_.dice().between(milliseconds(0), milliseconds(2)));
  if (strikes(weather_.refused, "index refused")) co_return away();
  co_return planned;
}

Result<void> FaultyIndex::answered(CallFault planned) {
  if (planned == CallFault::unanswered || strikes(weather_.unanswered, "index unanswered")) return late();
  return {};
}

Task<Result<void>> FaultyIndex::apply(const Context&, std::vector<Write> writes) {
  const auto planned = co_await reached();
  if (!planned && forgets_) co_return Result<void>();
  CO_CHECK(planned);
  const bool partly = writes.size() > 1 && strikes(weather_.partly, "index written in part");
  if (partly) writes.resize(1 + simulation_.dice().below(writes.size() - 1));
  for (const auto& write : writes) {
    simulation_.trace(write.id.text());
    simulation_.trace(static_cast<std::uint64_t>(write.version));
    engine_.live.apply(write);
    if (next_) next_->apply(write);
  }
  if (partly) co_return away();
  co_return answered(*planned);
}

Task<Result<SearchResult>> FaultyIndex::search(const Context&, SearchQuery query) {
  CO_TRY(const auto planned, co_await reached());
  CO_CHECK(answered(planned));
  co_return engine_.live.search(query);
}

Task<Result<void>> FaultyIndex::begin_rebuild(const Context&) {
  CO_TRY(const auto planned, co_await reached());
  if (next_) co_return fail(Code::conflict, "The search index is being rebuilt already.", "REBUILD_RUNNING");
  next_.emplace();
  auto outcome = answered(planned);
  if (!outcome) next_.reset();  // as one that nobody feeds: it would be taken over
  co_return outcome;
}

Task<Result<void>> FaultyIndex::feed_rebuild(const Context&, std::vector<Write> writes) {
  CO_TRY(const auto planned, co_await reached());
  if (!next_) co_return no_rebuild();
  for (const auto& write : writes) next_->apply(write);
  co_return answered(planned);
}

Task<Result<void>> FaultyIndex::finish_rebuild(const Context&, bool keep) {
  auto planned = co_await reached();
  if (!planned) next_.reset();
  CO_CHECK(planned);
  if (!next_) co_return no_rebuild();
  if (keep) {
    engine_.live = std::move(*next_);
    engine_.complete = true;
    simulation_.trace("index rebuilt");
  }
  next_.reset();
  co_return answered(*planned);
}

Task<Result<SearchState>> FaultyIndex::state(const Context&) {
  CO_TRY(const auto planned, co_await reached());
  CO_CHECK(answered(planned));
  co_return SearchState{engine_.complete, 0};
}

}  // namespace shop::simulation

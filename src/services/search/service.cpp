#include "services/search/service.hpp"

#include "observe/log.hpp"

namespace shop::search {
namespace {

constexpr seconds page_limit{30};
constexpr int max_failures = 10;  // of one page, after each a longer pause: 5.5 s in all

SearchOrder order_of(const SearchRequest& request) {
  switch (request.sortBy.value_or(SortField::_score)) {
    case SortField::_score: return SearchOrder::relevance;
    case SortField::price: return SearchOrder::price;
    case SortField::createdAt: return SearchOrder::created_at;
    case SortField::averageRating: return SearchOrder::rating;
  }
  return SearchOrder::relevance;
}

Result<SearchQuery> query_of(const SearchRequest& request, const std::string& language, const std::optional<Conversion>& conversion) {
  const auto page = request.page.value, limit = request.limit.value;
  if (page > static_cast<std::int64_t>(search_window) / limit) {
    return fail(codec::faulty({{"page", fmt::format("must not reach beyond the first {} products: narrow the search down", search_window)}}));
  }
  SearchQuery query;
  if (request.q) query.text = request.q->value;
  query.language = language;
  if (request.category) query.category = request.category->value;
  const Rate rate = conversion ? conversion->rate : Rate{};
  if (request.minPrice) query.min_price = conversion ? base_at_least(*request.minPrice, rate) : *request.minPrice;
  if (request.maxPrice) query.max_price = conversion ? base_at_most(*request.maxPrice, rate) : *request.maxPrice;
  query.in_stock = request.inStock.value_or(false);
  query.attributes = request.attributes.wanted;
  query.order = order_of(request);
  query.descending = request.sortOrder.value_or(product::SortOrder::desc) == product::SortOrder::desc;
  query.offset = static_cast<std::size_t>((page - 1) * limit);
  query.limit = static_cast<std::size_t>(limit);
  return query;
}

}  // namespace

Task<Result<std::string>> SearchService::search(const Context& context, const SearchRequest& request, const std::string& language,
                                                const std::optional<Currency>& currency) {
  CO_TRY(const auto conversion, co_await rates_.conversion(context, currency));
  CO_TRY(auto query, query_of(request, language, conversion));
  CO_TRY(const auto result, co_await index_.search(context, std::move(query)));
  const View view{language, conversion};
  std::size_t size = 4096;
  for (const auto& card : result.sources) size += card.size();
  std::string out;
  out.reserve(size);
  out = R"({"data":[)";
  for (bool first = true; const auto& card : result.sources) {
    if (!std::exchange(first, false)) out += ',';
    append_hit(out, card, view);
  }
  out += R"(],"pagination":)";
  codec::write_json(out, codec::pagination(result.total, request.page, request.limit));
  out += R"(,"facets":)";
  codec::write_json(out, facets_of(result));
  out += '}';
  co_return out;
}

Rebuilder::Rebuilder(SearchIndex& index, CataloguePeer catalogue, Clock& clock)
    : index_(index),
      catalogue_(catalogue),
      clock_(clock),
      loop_(clock, {.name = "search rebuild", .period = milliseconds(2000), .step_limit = hours(6), .backoff_max = milliseconds(2000)},
            [this](const Context& context) { return step(context); }) {}

RebuildReport Rebuilder::request() {
  wanted_ = true;
  set(RebuildStatus::WAITING, "A rebuild of the search index begins.");
  loop_.wake();
  return report();
}

RebuildReport Rebuilder::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

void Rebuilder::set(RebuildStatus status, std::string message) {
  const std::lock_guard lock(mutex_);
  report_.status = status;
  report_.message = std::move(message);
  if (status == RebuildStatus::RUNNING) report_.indexed = 0;
}

Task<Result<bool>> Rebuilder::step(const Context& context) {
  Context brief = context;
  brief.deadline = clock_.now() + page_limit;
  CO_TRY(const auto state, co_await index_.state(brief));
  const bool asked = wanted_.exchange(false);
  if (state.complete && !asked) {
    if (report().status == RebuildStatus::WAITING) set(RebuildStatus::NONE, "Another instance has rebuilt the search index.");
    co_return false;
  }
  set(RebuildStatus::RUNNING, "The search index is being rebuilt.");
  auto outcome = co_await rebuild(context);
  if (outcome) {
    set(RebuildStatus::DONE, "The search index was rebuilt.");
    log(Severity::info, "search rebuild", "the search index was rebuilt", {{"products", std::to_string(report().indexed)}});
    co_return false;
  }
  if (outcome.error().name == "REBUILD_RUNNING") {  // another instance is at it; whoever asked here gets one that began after that
    if (asked) wanted_ = true;
    set(RebuildStatus::WAITING, outcome.error().message);
    co_return false;
  }
  set(RebuildStatus::FAILED, outcome.error().message);
  co_return Failure(std::move(outcome).error());
}

Task<Result<void>> Rebuilder::rebuild(const Context& context) {
  Context brief = context;
  brief.deadline = clock_.now() + page_limit;
  CO_CHECK(co_await index_.begin_rebuild(brief));
  auto fed = co_await feed(context);
  brief.deadline = clock_.now() + page_limit;
  auto finished = co_await index_.finish_rebuild(brief, fed.has_value());
  if (!fed) co_return fed;
  co_return finished;
}

// Page after page; products that change meanwhile come as events, to both indexes. A catalogue or an engine that cannot answer
// for a while is waited for: what is built so far need not be lost.
Task<Result<void>> Rebuilder::feed(const Context& context) {
  std::optional<ProductId> after;
  int page_size = 250, failures = 0;
  for (;;) {
    if (loop_.stopping()) co_return fail(Code::unavailable, "The rebuild was stopped.");
    auto page = co_await feed_page(context, after, page_size);
    if (page) {
      failures = 0;
      if (!page->next) co_return Result<void>();
      after = page->next;
    } else if (page.error().code == Code::bad_upstream && page_size > 1) {  // it may have been too large
      page_size = std::max(1, page_size / 5);
    } else if (traits(page.error().code).retryable && ++failures <= max_failures) {
      co_await clock_.sleep(milliseconds(100) * failures);
    } else {
      co_return Failure(std::move(page).error());
    }
  }
}

Task<Result<Rebuilder::Fed>> Rebuilder::feed_page(const Context& context, const std::optional<ProductId>& after, int page_size) {
  Context brief = context;
  brief.deadline = clock_.now() + page_limit;
  CO_TRY(auto page, co_await catalogue_.products(brief, after, page_size));
  std::vector<SearchIndex::Write> writes;
  for (auto& [version, product] : page.documents) writes.push_back(write_of(std::move(product), version));
  const auto count = static_cast<std::int64_t>(writes.size());
  CO_CHECK(co_await index_.feed_rebuild(brief, std::move(writes)));
  const std::lock_guard lock(mutex_);
  report_.indexed += count;
  co_return Fed{page.next};
}

}  // namespace shop::search

#include "adapters/elasticsearch/elasticsearch_index.hpp"

#include <atomic>
#include <mutex>

#include <fmt/format.h>

#include "adapters/elasticsearch/messages.hpp"
#include "codec/forms.hpp"
#include "ports/search_words.hpp"

namespace shop {
namespace {

namespace json = boost::json;
using namespace elasticsearch;

constexpr milliseconds longest_pause{800};
constexpr seconds heartbeat_every{10}, abandoned_after{60}, leftovers_after{10};
constexpr std::size_t bulk_bytes = 1024 * 1024, answer_bytes = 64 * 1024 * 1024;

struct AliasSet {
  std::map<std::string, json::value> aliases;
};
BOOST_DESCRIBE_STRUCT(AliasSet, (), (aliases))

struct Meta {
  std::optional<std::string> format;
  std::optional<bool> complete;
  std::optional<std::int64_t> heartbeat;  // of a rebuild, milliseconds since 1970
};
BOOST_DESCRIBE_STRUCT(Meta, (), (format, complete, heartbeat))
struct Mappings {
  std::optional<Meta> _meta;
};
BOOST_DESCRIBE_STRUCT(Mappings, (), (_meta))
struct Mapped {
  std::optional<Mappings> mappings;
};
BOOST_DESCRIBE_STRUCT(Mapped, (), (mappings))

struct Count {
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(Count, (), (count))

struct ClusterHealth {
  std::string status;
};
BOOST_DESCRIBE_STRUCT(ClusterHealth, (), (status))

Failure refused(const Response& answer) {
  const auto detail = fmt::format("{}: {}", answer.status, utf8_prefix(answer.text(), 400));
  const bool for_now = answer.status == 404 || answer.status == 429 || answer.status == 502 || answer.status == 503 || answer.status == 504;
  if (for_now) return fail(Code::unavailable, "The search engine cannot answer at the moment.", {}, detail);
  return fail(Code::bad_upstream, "The search engine refused the request.", {}, detail);
}

class ElasticsearchIndex final : public SearchIndex, public SearchListing {
 public:
  ElasticsearchIndex(ElasticsearchOptions options, net::ClientPool& pool, Clock& clock)
      : nodes_(std::move(options.nodes)), live_(options.index), next_(options.index + "-next"), pool_(pool), clock_(clock) {}

  Task<Result<void>> apply(const Context& context, std::vector<Write> writes) override {
    if (writes.empty()) co_return Result<void>();
    const std::vector<std::string> both{live_, next_};
    for (int attempt = 1;; ++attempt) {
      CO_TRY(const bool live_is_missing, co_await bulk(context, writes, both, true));
      if (!live_is_missing) co_return Result<void>();
      if (attempt == 3) co_return fail(Code::unavailable, "The search index is missing.");
      CO_CHECK(co_await ensure_live(context));
    }
  }

  Task<Result<SearchResult>> search(const Context& context, SearchQuery query) override {
    if (!trimmed(query.text).empty() && query_words(query.text).empty()) co_return SearchResult();
    const auto target = fmt::format("/{}/_search?allow_partial_search_results=false&{}", live_, search_filter);
    CO_TRY(const auto answer, co_await ask(context, Method::get, target, search_body(query)));
    if (answer.status != 200) co_return refused(answer);
    co_return search_result(answer.text());
  }

  Task<Result<std::vector<ListedProduct>>> list(const Context& context, const std::optional<ProductId>& after, std::size_t limit) override {
    const auto target = fmt::format("/{}/_search?allow_partial_search_results=false&{}", live_, list_filter);
    CO_TRY(const auto answer, co_await ask(context, Method::get, target, list_body(after, limit)));
    if (answer.status != 200) co_return refused(answer);
    co_return listed_products(answer.text());
  }

  Task<Result<void>> begin_rebuild(const Context& context) override {
    {
      const std::lock_guard lock(mutex_);
      if (!building_.empty()) co_return running();
    }
    CO_TRY(const auto indexes, co_await list(context));
    for (const auto& index : indexes) {
      if (!index.next) continue;
      CO_TRY(const auto meta, co_await meta_of(context, index.name));
      const auto age = clock_.wall().ms - meta.heartbeat.value_or(0);
      if (age < milliseconds(abandoned_after).count()) co_return running();
      CO_CHECK(co_await remove(context, index.name));
    }
    const auto name = name_after(indexes);
    CO_TRY(const auto answer, co_await ask(context, Method::put, "/" + name, json::serialize(new_index(next_, meta_now(false), true))));
    if (answer.status == 400 && answer.text().find("already_exists") != std::string_view::npos) co_return running();
    if (answer.status != 200) co_return refused(answer);
    const std::lock_guard lock(mutex_);
    building_ = name;
    heartbeat_ = clock_.now();
    co_return Result<void>();
  }

  Task<Result<void>> feed_rebuild(const Context& context, std::vector<Write> writes) override {
    CO_TRY(const auto building, building_now());
    if (clock_.now() - heartbeat() > heartbeat_every) CO_CHECK(co_await say(context, building, meta_now(false)));
    const std::vector<std::string> one{next_};
    CO_TRY(const bool missing, co_await bulk(context, writes, one, false));
    if (missing) co_return fail(Code::conflict, "The rebuild of the search index was taken over.", "NO_REBUILD");
    co_return Result<void>();
  }

  Task<Result<void>> finish_rebuild(const Context& context, bool keep) override {
    CO_TRY(const auto building, building_now());
    {
      const std::lock_guard lock(mutex_);
      building_.clear();
    }
    auto outcome = keep ? co_await swap(context, building) : Result<void>();
    if (keep && outcome) co_return outcome;
    auto removed = co_await remove(context, building);
    if (!outcome) co_return outcome;
    co_return removed;
  }

  Task<Result<SearchState>> state(const Context& context) override {
    CO_TRY(const auto indexes, co_await list(context));
    CO_CHECK(co_await remove_leftovers(context, indexes));
    const auto live = std::ranges::find(indexes, true, &Index::live);
    if (live == indexes.end()) {
      CO_CHECK(co_await ensure_live(context));
      co_return SearchState{};
    }
    CO_TRY(const auto meta, co_await meta_of(context, live->name));
    CO_TRY(const auto products, co_await count(context));
    co_return SearchState{meta.complete.value_or(false) && meta.format == format, products};
  }

  Task<Result<void>> ping(const Context& context) override {
    CO_TRY(const auto health, co_await get<ClusterHealth>(context, "/_cluster/health?filter_path=status"));
    if (health.status == "red") co_return fail(Code::unavailable, "The search engine has lost an index.");
    co_return Result<void>();
  }

 private:
  struct Index {
    std::string name;
    int number = 0;
    bool live = false, next = false;
  };

  static Failure running() { return fail(Code::conflict, "The search index is being rebuilt already.", "REBUILD_RUNNING"); }

  // --- talking

  // An engine that is short of memory or of places in its queue says so (429), and is asked again a little later.
  Task<Result<Response>> ask(const Context& context, Method method, std::string target, std::string body = {}, bool lines = false) {
    Request request{method, std::move(target), {}, std::move(body), {}};
    if (!request.body.empty()) request.headers.add("Content-Type", lines ? "application/x-ndjson" : "application/json");
    for (milliseconds pause{50};; pause *= 2) {
      CO_TRY(auto answer, co_await ask_once(context, request));
      if (answer.status != 429 || pause > longest_pause || clock_.now() + pause >= context.deadline) co_return answer;
      co_await clock_.sleep(pause);
    }
  }

  // Of the nodes the first that can be reached. What is asked for may be asked twice: writes carry their version.
  Task<Result<Response>> ask_once(const Context& context, const Request& request) {
    const auto first = next_node_.fetch_add(1);
    Error error;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      auto answer = co_await pool_.send(context, nodes_[(first + i) % nodes_.size()], request, answer_bytes);
      if (answer) co_return answer;
      error = std::move(answer).error();
      if (error.code == Code::unknown_outcome) error.code = Code::unavailable;
      if (error.code != Code::unavailable) break;
    }
    error.message = error.code == Code::timed_out ? "The search engine did not answer in time." : "The search engine cannot be reached.";
    co_return fail(std::move(error));
  }

  template <class T>
  Task<Result<T>> get(const Context& context, std::string target) {
    CO_TRY(const auto answer, co_await ask(context, Method::get, std::move(target)));
    if (answer.status != 200) co_return refused(answer);
    auto read = codec::from_json<T>(answer.text());
    if (!read) co_return fail(Code::bad_upstream, "The search engine gave an answer that cannot be read.", {}, read.error().message);
    co_return std::move(*read);
  }

  Task<Result<void>> tell(const Context& context, Method method, std::string target, json::value body = nullptr) {
    CO_TRY(const auto answer, co_await ask(context, method, std::move(target), body.is_null() ? std::string() : json::serialize(body)));
    if (answer.status != 200) co_return refused(answer);
    co_return Result<void>();
  }

  // --- writing

  // True when the first alias is missing. PUT, so that it is sent again when a kept connection turns out to be dead.
  Task<Result<bool>> bulk(const Context& context, const std::vector<Write>& writes, const std::vector<std::string>& aliases, bool visible) {
    bool missing = false;
    for (std::size_t from = 0; from < writes.size();) {
      std::vector<Write> part;
      for (std::size_t bytes = 0; from < writes.size() && bytes < bulk_bytes; ++from) {
        part.push_back(writes[from]);
        bytes += 1000 + (part.back().document ? part.back().document->source.size() * 3 * aliases.size() : 0);
      }
      const auto target = fmt::format("/_bulk?require_alias=true&refresh={}&filter_path=items.*.status,items.*.error.type,items.*.error.reason", visible);
      CO_TRY(const auto answer, co_await ask(context, Method::put, target, bulk_body(part, aliases), true));
      if (answer.status != 200) co_return refused(answer);
      CO_TRY(const auto items, bulk_items(answer.text(), aliases, part.size() * aliases.size()));
      for (const auto& item : items) {
        if (item.status < 300 || item.status == 409) continue;  // written, or not newer than what is kept
        if (item.status == 404) {
          missing = missing || item.alias == aliases.front();
        } else if (item.status == 429 || item.status >= 500) {
          co_return fail(Code::unavailable, "The search engine cannot take the write at the moment.", {}, item.error_type + ": " + item.reason);
        } else {
          co_return fail(Code::invalid, "The search engine cannot index the product.", {}, item.error_type + ": " + item.reason);
        }
      }
    }
    co_return missing;
  }

  // --- indexes

  // All of ours. One look decides what is missing and which name is free: of two instances at it, one is refused its name.
  Task<Result<std::vector<Index>>> list(const Context& context) {
    const std::string prefix = live_ + "-v";
    CO_TRY(const auto found, (co_await get<std::map<std::string, AliasSet>>(context, fmt::format("/{}*/_alias", prefix))));
    std::vector<Index> indexes;
    for (const auto& [name, set] : found) {
      Index index{name, 0, set.aliases.contains(live_), set.aliases.contains(next_)};
      const auto end = name.data() + name.size();
      if (name.size() <= prefix.size() || std::from_chars(name.data() + prefix.size(), end, index.number).ptr != end) continue;
      indexes.push_back(std::move(index));
    }
    co_return indexes;
  }

  std::string name_after(const std::vector<Index>& indexes) const {
    int highest = 0;
    for (const auto& index : indexes) highest = std::max(highest, index.number);
    return fmt::format("{}-v{}", live_, highest + 1);
  }

  // Empty, and marked as in need of a rebuild.
  Task<Result<void>> ensure_live(const Context& context) {
    CO_TRY(const auto indexes, co_await list(context));
    if (std::ranges::any_of(indexes, &Index::live)) co_return Result<void>();
    const auto name = name_after(indexes);
    CO_TRY(const auto answer, co_await ask(context, Method::put, "/" + name, json::serialize(new_index(live_, meta_now(false), false))));
    if (answer.status == 400 && answer.text().find("already_exists") != std::string_view::npos) co_return Result<void>();
    if (answer.status != 200) co_return refused(answer);
    co_return Result<void>();
  }

  // Searches that have begun on the old index may finish there: it goes later.
  Task<Result<void>> swap(const Context& context, const std::string& building) {
    CO_CHECK(co_await tell(context, Method::put, fmt::format("/{}/_settings", building), json::object{{"index", {{"refresh_interval", "1s"}}}}));
    CO_CHECK(co_await tell(context, Method::post, fmt::format("/{}/_refresh", building)));
    CO_CHECK(co_await say(context, building, meta_now(true)));
    CO_TRY(const auto indexes, co_await list(context));
    json::array actions;
    for (const auto& index : indexes) {
      if (index.live && index.name != building) actions.emplace_back(json::object{{"remove", {{"index", index.name}, {"alias", live_}}}});
    }
    actions.emplace_back(json::object{{"add", {{"index", building}, {"alias", live_}}}});
    actions.emplace_back(json::object{{"remove", {{"index", building}, {"alias", next_}}}});
    co_return co_await tell(context, Method::post, "/_aliases", json::object{{"actions", std::move(actions)}});
  }

  Task<Result<void>> remove(const Context& context, const std::string& name) {
    CO_TRY(const auto answer, co_await ask(context, Method::del, "/" + name));
    if (answer.status != 200 && answer.status != 404) co_return refused(answer);
    co_return Result<void>();
  }

  // Ours are born with an alias: those without one have had their time.
  Task<Result<void>> remove_leftovers(const Context& context, const std::vector<Index>& indexes) {
    std::vector<std::string> due;
    {
      const std::lock_guard lock(mutex_);
      std::map<std::string, Monotonic> still;
      for (const auto& index : indexes) {
        if (index.live || index.next) continue;
        const auto seen = leftovers_.contains(index.name) ? leftovers_[index.name] : clock_.now();
        if (clock_.now() - seen >= leftovers_after) due.push_back(index.name);
        still[index.name] = seen;
      }
      leftovers_ = std::move(still);
    }
    for (const auto& name : due) CO_CHECK(co_await remove(context, name));
    co_return Result<void>();
  }

  json::object meta_now(bool complete) const { return {{"format", format}, {"complete", complete}, {"heartbeat", clock_.wall().ms}}; }

  Task<Result<void>> say(const Context& context, const std::string& index, json::object meta) {
    CO_CHECK(co_await tell(context, Method::put, fmt::format("/{}/_mapping", index), json::object{{"_meta", std::move(meta)}}));
    const std::lock_guard lock(mutex_);
    heartbeat_ = clock_.now();
    co_return Result<void>();
  }

  Task<Result<Meta>> meta_of(const Context& context, const std::string& index) {
    CO_TRY(const auto found, (co_await get<std::map<std::string, Mapped>>(context, fmt::format("/{}/_mapping?filter_path=*.mappings._meta", index))));
    if (found.empty() || !found.begin()->second.mappings) co_return Meta();
    co_return found.begin()->second.mappings->_meta.value_or(Meta());
  }

  Task<Result<std::int64_t>> count(const Context& context) {
    CO_TRY(const auto answer, co_await get<Count>(context, fmt::format("/{}/_count?q=isActive:true", live_)));
    co_return answer.count;
  }

  Result<std::string> building_now() {
    const std::lock_guard lock(mutex_);
    if (building_.empty()) return fail(Code::conflict, "No rebuild of the search index is running.", "NO_REBUILD");
    return building_;
  }

  Monotonic heartbeat() {
    const std::lock_guard lock(mutex_);
    return heartbeat_;
  }

  const std::vector<net::Endpoint> nodes_;
  const std::string live_, next_;
  net::ClientPool& pool_;
  Clock& clock_;
  std::atomic<std::size_t> next_node_{0};
  std::mutex mutex_;
  std::string building_;
  Monotonic heartbeat_;
  std::map<std::string, Monotonic> leftovers_;  // first seen
};

}  // namespace

std::unique_ptr<SearchIndex> open_elasticsearch(ElasticsearchOptions options, net::ClientPool& pool, Clock& clock) {
  return std::make_unique<ElasticsearchIndex>(std::move(options), pool, clock);
}

std::unique_ptr<SearchListing> list_elasticsearch(ElasticsearchOptions options, net::ClientPool& pool, Clock& clock) {
  return std::make_unique<ElasticsearchIndex>(std::move(options), pool, clock);
}

}  // namespace shop

#include "adapters/xapian/searcher.hpp"

#include <algorithm>

#include "adapters/xapian/layout.hpp"

namespace shop::xapian {
namespace {

using Xapian::Query;

constexpr std::size_t max_spellings = 500;

Query weighed(double weight, Query query) { return {Query::OP_SCALE_WEIGHT, query, weight}; }

// The best of its fields; every term weighs 1 before it is scaled (CoordWeight).
Query word_query(const std::string& word, const std::string& language, const Vocabulary& words) {
  std::vector<Query> fields{
      weighed(5, Query(term::of_name(language, word))),        weighed(4, Query(term::of_category(language, word))),
      weighed(3, Query(term::of_sku(word))),                   weighed(2.5, Query(term::of_name("en", word))),
      weighed(2, Query(term::of_description(language, word))), weighed(2, Query(term::of_category("en", word))),
      weighed(1, Query(term::of_attribute(word))),             weighed(1, Query(term::of_description("en", word))),
      weighed(0.75, Query(term::anywhere(word))),
  };
  std::vector<Query> in_names, elsewhere;
  for (const auto& spelling : words.near(word, max_spellings)) {
    in_names.emplace_back(term::of_name(language, spelling));
    if (language != "en") in_names.emplace_back(term::of_name("en", spelling));
    elsewhere.emplace_back(term::anywhere(spelling));
  }
  if (!elsewhere.empty()) {
    fields.push_back(weighed(0.5, Query(Query::OP_MAX, in_names.begin(), in_names.end())));
    fields.push_back(weighed(0.25, Query(Query::OP_MAX, elsewhere.begin(), elsewhere.end())));
  }
  return {Query::OP_MAX, fields.begin(), fields.end()};
}

// The names' numbers that are asked for, a set of alternatives for each attribute.
using Wanted = std::vector<std::vector<std::uint32_t>>;

std::optional<Wanted> wanted_attributes(const SearchQuery& query, const Names& names) {
  Wanted wanted;
  for (const auto& [name, values] : query.attributes) {
    auto& alternatives = wanted.emplace_back();
    for (const auto& value : values) {
      if (const auto number = names.find(attribute_name(name + ":" + value))) alternatives.push_back(*number);
    }
    if (alternatives.empty()) return std::nullopt;  // no product has it
  }
  return wanted;
}

class SameVariant final : public Xapian::MatchDecider {
 public:
  SameVariant(const SearchQuery& query, const Wanted& wanted) : query_(query), wanted_(wanted) {}

  bool operator()(const Xapian::Document& document) const override {
    const auto packed = document.get_value(Slot::variants);
    std::string_view rest = packed;
    while (take_variant(rest, variant_)) {
      if (fits()) return true;
    }
    return false;
  }

 private:
  bool fits() const {
    const auto price = static_cast<std::int64_t>(variant_.price);
    if (query_.in_stock && !variant_.in_stock) return false;
    if (query_.min_price && price < query_.min_price->minor) return false;
    if (query_.max_price && price > query_.max_price->minor) return false;
    return std::ranges::all_of(wanted_, [&](const auto& alternatives) {
      return std::ranges::any_of(alternatives, [&](auto number) { return std::ranges::find(variant_.attributes, number) != variant_.attributes.end(); });
    });
  }

  const SearchQuery& query_;
  const Wanted& wanted_;
  mutable PackedVariant variant_;
};

class FacetCounter final : public Xapian::MatchSpy {
 public:
  explicit FacetCounter(std::size_t names) : counts_(names) {}

  void operator()(const Xapian::Document& document, double) override {
    const auto packed = document.get_value(Slot::facets);
    std::string_view rest = packed;
    for (auto ranges = take_number(rest), i = std::uint64_t{0}; ranges != 0 && i < ranges_.size(); ranges >>= 1, ++i) ranges_[i] += ranges & 1;
    while (!rest.empty()) {
      const auto number = take_number(rest);
      if (number >= counts_.size()) counts_.resize(number + 1);
      ++counts_[number];
    }
  }

  void report(const Names& names, SearchResult& result) const {
    for (std::uint32_t number = 0; number < counts_.size(); ++number) {
      if (counts_[number] == 0) continue;
      const auto name = names.text(number);
      if (name.empty()) continue;
      auto& list = name.front() == 'C' ? result.categories : result.attributes;
      list.push_back({name.substr(1), counts_[number]});
    }
    keep_most_frequent(result.categories, max_category_facets);
    keep_most_frequent(result.attributes, max_attribute_facets);
    result.price_ranges = ranges_;
  }

 private:
  static void keep_most_frequent(std::vector<FacetCount>& list, std::size_t most) {
    const auto kept = std::min(most, list.size());
    const auto before = [](const FacetCount& a, const FacetCount& b) { return a.count != b.count ? a.count > b.count : a.value < b.value; };
    std::ranges::partial_sort(list, list.begin() + static_cast<std::ptrdiff_t>(kept), before);
    list.resize(kept);
  }

  std::vector<std::int64_t> counts_;
  std::array<std::int64_t, 5> ranges_{};
};

Query matching(const SearchQuery& query, const Wanted& wanted, const Vocabulary& words) {
  std::vector<Query> filters{Query(term::active)};
  if (query.category) filters.emplace_back(term::in_category(*query.category));
  if (query.in_stock) filters.emplace_back(term::in_stock);
  for (const auto& alternatives : wanted) {
    std::vector<std::string> terms;
    for (const auto number : alternatives) terms.push_back(term::with_name(number));
    filters.emplace_back(Query::OP_OR, terms.begin(), terms.end());
  }
  const Query filter(Query::OP_AND, filters.begin(), filters.end());
  std::vector<Query> required;
  for (const auto& word : query_words(query.text)) required.push_back(word_query(word, query.language, words));
  if (required.empty()) return weighed(0, filter);
  return {Query::OP_FILTER, Query(Query::OP_AND, required.begin(), required.end()), filter};
}

void set_order(Xapian::Enquire& enquire, const SearchQuery& query) {
  switch (query.order) {
    case SearchOrder::relevance: return enquire.set_sort_by_relevance_then_value(Slot::relevance_ties, false);
    case SearchOrder::price: return enquire.set_sort_by_value(query.descending ? Slot::price_falling : Slot::price_rising, query.descending);
    case SearchOrder::created_at: return enquire.set_sort_by_value(Slot::created, query.descending);
    case SearchOrder::rating: return enquire.set_sort_by_value(Slot::rating, query.descending);
  }
}

}  // namespace

SearchResult search(Xapian::Database& database, const Names& names, const Vocabulary& words, const SearchQuery& query) {
  SearchResult result;
  const auto wanted = wanted_attributes(query, names);
  const bool wordless = !trimmed(query.text).empty() && query_words(query.text).empty();
  if (!wanted || wordless) return result;

  const auto variant_filters = wanted->size() + (query.in_stock ? 1 : 0);
  const bool same_variant = query.min_price || query.max_price || variant_filters > 1;
  const SameVariant decider(query, *wanted);
  FacetCounter facets(names.size());
  Xapian::Enquire enquire(database);
  enquire.set_weighting_scheme(Xapian::CoordWeight());
  enquire.set_query(matching(query, *wanted, words));
  enquire.set_docid_order(Xapian::Enquire::DONT_CARE);
  set_order(enquire, query);
  enquire.add_matchspy(&facets);

  const auto all = database.get_doccount();
  const auto first = static_cast<Xapian::doccount>(query.offset), most = static_cast<Xapian::doccount>(query.limit);
  const bool backwards = query.order == SearchOrder::relevance && !query.descending;
  auto found = enquire.get_mset(backwards ? 0 : first, backwards ? 0 : most, all, nullptr, same_variant ? &decider : nullptr);
  const auto total = found.get_matches_estimated();  // exact: all were looked at
  result.total = total;
  facets.report(names, result);
  if (backwards && first < total) {
    enquire.clear_matchspies();
    const auto from = total - first > most ? total - first - most : 0;
    found = enquire.get_mset(from, total - first - from, all, nullptr, same_variant ? &decider : nullptr);
  }
  for (auto hit = found.begin(); hit != found.end(); ++hit) result.sources.push_back(hit.get_document().get_data());
  if (backwards) std::ranges::reverse(result.sources);
  return result;
}

}  // namespace shop::xapian

// The search index as its port describes it, written down without any engine: what the engines are compared with.
#pragma once

#include <map>

#include "ports/search_index.hpp"
#include "ports/search_words.hpp"

namespace shop::test {

class SearchModel {
 public:
  void apply(const SearchIndex::Write& write) {
    auto& kept = documents_[write.id];
    if (kept && write.version <= kept->version) return;
    kept = write;
  }

  SearchResult search(const SearchQuery& query) const {
    struct Hit {
      double score;
      std::size_t name_words;
      const SearchDocument* document;
    };
    std::vector<Hit> hits;
    const auto words = query_words(query.text);
    const bool wordless = words.empty() && !trimmed(query.text).empty();
    for (const auto& [id, kept] : documents_) {
      if (!kept || !kept->document || !kept->document->active || wordless) continue;
      const auto& document = *kept->document;
      if (!fits(document, query)) continue;
      double score = 0;
      bool all = true;
      for (const auto& word : words) {
        const auto weight = weight_of(word, document, query.language);
        all = all && weight > 0;
        score += weight;
      }
      if (all) hits.push_back({score, search_words(localised(document.name, "en")).size(), &document});
    }
    const auto before = [&](const Hit& a, const Hit& b) {
      const auto& x = *a.document;
      const auto& y = *b.document;
      switch (query.order) {
        case SearchOrder::relevance:
          if (a.score != b.score) return (a.score > b.score) == query.descending;
          if (a.name_words != b.name_words) return (a.name_words < b.name_words) == query.descending;
          break;
        case SearchOrder::price:
          if (x.variants.empty() != y.variants.empty()) return y.variants.empty();
          if (!x.variants.empty() && lowest(x) != lowest(y)) return (lowest(x) > lowest(y)) == query.descending;
          break;
        case SearchOrder::created_at:
          if (x.created_at != y.created_at) return (x.created_at > y.created_at) == query.descending;
          break;
        case SearchOrder::rating:
          if (x.rating_hundredths != y.rating_hundredths) return (x.rating_hundredths > y.rating_hundredths) == query.descending;
          break;
      }
      return x.id != y.id && (x.id > y.id) == query.descending;
    };
    std::ranges::sort(hits, before);

    SearchResult result;
    result.total = static_cast<std::int64_t>(hits.size());
    std::map<std::string, std::int64_t> categories, attributes;
    for (const auto& hit : hits) {
      for (const auto& slug : std::set(hit.document->category_slugs.begin(), hit.document->category_slugs.end())) ++categories[slug];
      for (const auto& flat : flat_attributes(*hit.document)) ++attributes[flat];
      std::set<std::size_t> ranges;
      for (const auto& variant : hit.document->variants) ranges.insert(price_range(variant.price));
      for (const auto range : ranges) ++result.price_ranges[range];
    }
    result.categories = most_frequent(categories, max_category_facets);
    result.attributes = most_frequent(attributes, max_attribute_facets);
    for (std::size_t i = query.offset; i < hits.size() && i < query.offset + query.limit; ++i) result.sources.push_back(hits[i].document->source);
    return result;
  }

  const std::map<ProductId, std::optional<SearchIndex::Write>>& documents() const { return documents_; }

  static double weight_of(const std::string& word, const SearchDocument& document, const std::string& language) {
    const auto has = [&](std::string_view text, bool near) {
      const auto letters = letters_of(word);
      const auto edits = tolerated_edits(letters.size());
      for (const auto& other : search_words(text)) {
        if (near ? edits > 0 && within_edits(letters, letters_of(other), edits) : other == word) return true;
      }
      return false;
    };
    const auto in = [&](const Texts& texts, std::string_view of, bool near) {
      const auto text = texts.find(std::string(of));
      return text != texts.end() && has(text->second, near);
    };
    const auto in_categories = [&](std::string_view of) {
      return std::ranges::any_of(document.category_names, [&](const Texts& names) { return in(names, of, false); });
    };
    const auto in_attributes = [&](bool near) {
      return std::ranges::any_of(flat_attributes(document), [&](const auto& flat) { return has(flat, near); });
    };
    const auto anywhere = [&](bool near) {
      if (has(document.sku, near) || in_attributes(near)) return true;
      const auto any = [&](const Texts& texts) {
        return std::ranges::any_of(texts, [&](const auto& entry) { return has(entry.second, near); });
      };
      return any(document.name) || any(document.description) || std::ranges::any_of(document.category_names, any);
    };
    if (in(document.name, language, false)) return 5;
    if (in_categories(language)) return 4;
    if (has(document.sku, false)) return 3;
    if (in(document.name, "en", false)) return 2.5;
    if (in(document.description, language, false) || in_categories("en")) return 2;
    if (in_attributes(false) || in(document.description, "en", false)) return 1;
    if (anywhere(false)) return 0.75;
    if (in(document.name, language, true) || in(document.name, "en", true)) return 0.5;
    return anywhere(true) ? 0.25 : 0;
  }

 private:
  static Price lowest(const SearchDocument& document) { return std::ranges::min_element(document.variants, {}, &SearchVariant::price)->price; }

  static bool fits(const SearchDocument& document, const SearchQuery& query) {
    if (query.category && std::ranges::find(document.category_slugs, *query.category) == document.category_slugs.end() &&
        std::ranges::find(document.ancestor_slugs, *query.category) == document.ancestor_slugs.end()) {
      return false;
    }
    if (!query.in_stock && !query.min_price && !query.max_price && query.attributes.empty()) return true;
    return std::ranges::any_of(document.variants, [&](const SearchVariant& variant) {
      if (query.in_stock && variant.stock <= 0) return false;
      if (query.min_price && variant.price < *query.min_price) return false;
      if (query.max_price && variant.price > *query.max_price) return false;
      return std::ranges::all_of(query.attributes, [&](const auto& wanted) {
        const auto has = variant.attributes.find(wanted.first);
        return has != variant.attributes.end() && wanted.second.contains(has->second);
      });
    });
  }

  static std::vector<FacetCount> most_frequent(const std::map<std::string, std::int64_t>& counts, std::size_t most) {
    std::vector<FacetCount> list;
    for (const auto& [value, count] : counts) list.push_back({value, count});
    std::ranges::sort(list, [](const FacetCount& a, const FacetCount& b) { return a.count != b.count ? a.count > b.count : a.value < b.value; });
    list.resize(std::min(list.size(), most));
    return list;
  }

  std::map<ProductId, std::optional<SearchIndex::Write>> documents_;
};

}  // namespace shop::test

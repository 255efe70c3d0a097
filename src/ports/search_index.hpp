// A full-text index of products: derived data, versioned writes, rebuilt beside the live one.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/context.hpp"
#include "base/id.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "base/text.hpp"

namespace shop {

struct SearchVariant {
  std::map<std::string, std::string> attributes;
  Price price;
  std::int64_t stock = 0;
};

struct SearchDocument {
  ProductId id;
  std::int64_t version = 0;
  std::string sku;
  Texts name, description;
  std::vector<Texts> category_names;
  std::vector<std::string> category_slugs;  // its own categories
  std::vector<std::string> ancestor_slugs;  // those above them
  bool active = true;
  Instant created_at;
  std::int64_t rating_hundredths = 0;  // averageRating x 100
  std::vector<SearchVariant> variants;
  std::string source;  // what a hit returns: the product as JSON, kept as it is
};

enum class SearchOrder { relevance, price, created_at, rating };

struct SearchQuery {
  std::string text;      // all words required; typo tolerance by word length
  std::string language;  // of the visitor, two letters
  std::optional<std::string> category;
  std::optional<Price> min_price, max_price;  // base currency
  bool in_stock = false;
  std::map<std::string, std::set<std::string>> attributes;  // filters hold for one and the same variant
  SearchOrder order = SearchOrder::relevance;
  bool descending = true;
  std::size_t offset = 0, limit = 24;  // offset + limit <= 10 000
};

struct FacetCount {
  std::string value;
  std::int64_t count = 0;
};

// Counts of products in the filtered result. Price ranges in the base currency: -50, 50-100, 100-200, 200-500, 500-.
struct SearchResult {
  std::int64_t total = 0;
  std::vector<std::string> sources;
  std::vector<FacetCount> categories;                        // at most 50, most frequent first
  std::map<std::string, std::vector<FacetCount>> attributes;  // at most 100 values in all
  std::array<std::int64_t, 5> price_ranges{};
};

class SearchIndex {
 public:
  virtual ~SearchIndex() = default;

  // Visible to searches that begin after it returns. A write older than what is kept has no effect.
  struct Write {
    ProductId id;
    std::int64_t version = 0;
    std::optional<SearchDocument> document;  // nothing: removed
  };
  virtual Task<Result<void>> apply(const Context& context, std::vector<Write> writes) = 0;

  virtual Task<Result<SearchResult>> search(const Context& context, SearchQuery query) = 0;

  // A rebuild goes on beside the live index, which keeps answering: begin, feed every product, swap. Live writes during a
  // rebuild go to both. One at a time: conflict.
  virtual Task<Result<void>> begin_rebuild(const Context& context) = 0;
  virtual Task<Result<void>> feed_rebuild(const Context& context, std::vector<Write> writes) = 0;
  virtual Task<Result<void>> finish_rebuild(const Context& context, bool keep) = 0;

  virtual Task<Result<std::int64_t>> count(const Context& context) = 0;
  virtual Task<Result<void>> ping(const Context& context) = 0;
};

}  // namespace shop

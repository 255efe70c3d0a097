// A full-text index of products: derived data, versioned writes, rebuilt beside the live one.
//
// Every engine answers the same query with the same products in the same order; only what typo tolerance lets in may be
// weighed differently. What a word is, and how many letters may be wrong in it, stands in ports/search_words.hpp.
#pragma once

#include <array>
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
#include "base/time.hpp"

namespace shop {

struct SearchVariant {
  VariantId id;
  std::map<std::string, std::string> attributes;
  Price price;
  std::int64_t stock = 0;
};

struct SearchDocument {
  ProductId id;
  std::string sku;
  Texts name, description;
  std::vector<Texts> category_names;
  std::vector<std::string> category_slugs;  // its own categories
  std::vector<std::string> ancestor_slugs;  // those above them
  bool active = true;                       // others are kept for their version alone
  Instant created_at, updated_at;
  std::int64_t rating_hundredths = 0;  // averageRating x 100
  std::int64_t review_count = 0;
  std::vector<SearchVariant> variants;
  std::string source;  // what a hit returns: kept as it is, not looked into
};

enum class SearchOrder { relevance, price, created_at, rating };

// Relevance of a product is the sum over the words of `text`; a word counts as much as the weightiest field that holds it:
// name in `language` 5, category name 4, SKU 3, English name 2.5, description and English category name 2, attributes and
// English description 1, any other language 0.75; misspelt, 0.5 in a name and 0.25 elsewhere. Equals: the shorter name
// first, then the later id. A price is the lowest of the product's variants; products without variants come last.
struct SearchQuery {
  std::string text;      // all words required; typo tolerance by word length. Blank: every product; no word in it: none
  std::string language;  // of the visitor, two letters
  std::optional<std::string> category;                        // slug, of a product's own category or one above it
  std::optional<Price> min_price, max_price;                  // base currency
  bool in_stock = false;
  std::map<std::string, std::set<std::string>> attributes;    // filters hold for one and the same variant
  SearchOrder order = SearchOrder::relevance;
  bool descending = true;
  std::size_t offset = 0, limit = 24;  // offset + limit <= search_window
};

inline constexpr std::size_t search_window = 10'000;

struct FacetCount {
  std::string value;
  std::int64_t count = 0;

  friend bool operator==(const FacetCount&, const FacetCount&) = default;
};

// Lower bounds of the price ranges, in minor units of the base currency: -50, 50-100, 100-200, 200-500, 500-.
inline constexpr std::array<std::int64_t, 5> price_range_from{0, 50'00, 100'00, 200'00, 500'00};

std::size_t price_range(Price price);  // its index

// Facets count products of the whole filtered result, by all their variants; most frequent first, equals by value.
struct SearchResult {
  std::int64_t total = 0;
  std::vector<std::string> sources;
  std::vector<FacetCount> categories;  // own categories by slug, at most max_category_facets
  std::vector<FacetCount> attributes;  // "Name:value", at most max_attribute_facets
  std::array<std::int64_t, 5> price_ranges{};
};

inline constexpr std::size_t max_category_facets = 50, max_attribute_facets = 100;

struct SearchState {
  bool complete = false;       // false: made new, damaged, or of another format, so that a rebuild is due
  std::int64_t products = 0;   // active ones
};

class SearchIndex {
 public:
  virtual ~SearchIndex() = default;

  // A removed product keeps its version, so that a late write cannot bring it back; the next rebuild forgets it.
  struct Write {
    ProductId id;
    std::int64_t version = 0;                // >= 0
    std::optional<SearchDocument> document;  // nothing: removed
  };

  // Visible to searches that begin after it returns. A write that is not newer than what is kept has no effect.
  virtual Task<Result<void>> apply(const Context& context, std::vector<Write> writes) = 0;

  virtual Task<Result<SearchResult>> search(const Context& context, SearchQuery query) = 0;

  // A rebuild goes on beside the live index, which keeps answering: begin, feed every product, finish. Writes that are
  // applied meanwhile go to both, so products must be read after begin returned. One at a time: conflict. Not keeping it
  // leaves the live index as it is.
  virtual Task<Result<void>> begin_rebuild(const Context& context) = 0;
  virtual Task<Result<void>> feed_rebuild(const Context& context, std::vector<Write> writes) = 0;
  virtual Task<Result<void>> finish_rebuild(const Context& context, bool keep) = 0;

  // Makes an empty index where there is none.
  virtual Task<Result<SearchState>> state(const Context& context) = 0;
  virtual Task<Result<void>> ping(const Context& context) = 0;
};

// What an index holds of a product.
struct ListedProduct {
  ProductId id;
  std::int64_t version = 0;
  std::optional<std::string> source;  // nothing: removed, or not shown
};

// Reads an index beside whoever writes it, product after product, to compare it with the catalogue.
class SearchListing {
 public:
  virtual ~SearchListing() = default;

  // By id, those after `after`, at most `limit`; fewer are the end.
  virtual Task<Result<std::vector<ListedProduct>>> list(const Context& context, const std::optional<ProductId>& after, std::size_t limit) = 0;
};

// "Name:value" of all variants, each once, in order.
std::set<std::string> flat_attributes(const SearchDocument& document);

}  // namespace shop

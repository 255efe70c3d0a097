// Products as the index keeps them and hits as a visitor sees them; pure.
//
// A card is what a product's hit is rendered from: its JSON, written once when the product is indexed, with marks where the
// visitor's language and currency decide. JSON has no control characters, so these are the marks:
//   \1 en "JSON" \2 fr "JSON" \3    one text in its languages (null when there is none)
//   \4 129999 \4                    a price in minor units of the base currency
// Rendering a hit is copying, not parsing.
#pragma once

#include "ports/search_index.hpp"
#include "services/search/api.hpp"

namespace shop::search {

// A product in an event or in a rebuild's page. What the contract marks as an addition may be missing.
struct IndexedProduct {
  ProductId id;
  std::string sku;
  Texts name;
  std::optional<Texts> description;
  std::optional<bool> isActive;
  std::optional<Instant> createdAt, updatedAt;
  std::optional<double> averageRating;
  std::optional<std::int64_t> reviewCount;
  std::optional<std::string> primaryImageUrl;
  std::optional<std::vector<Texts>> category_names;
  std::optional<std::vector<std::string>> category_slugs, ancestor_slugs;

  struct Variant {
    VariantId id;
    std::optional<product::Attributes> attributes;
    Price price;
    std::optional<std::int64_t> stockQuantity;
  };
  std::optional<std::vector<Variant>> variants;
  std::optional<std::vector<std::string>> variant_attributes_flat;
  std::optional<std::vector<product::DocumentImage>> images;
};
BOOST_DESCRIBE_STRUCT(IndexedProduct::Variant, (), (id, attributes, price, stockQuantity))
BOOST_DESCRIBE_STRUCT(IndexedProduct, (), (id, sku, name, description, isActive, createdAt, updatedAt, averageRating, reviewCount,
                                           primaryImageUrl, category_names, category_slugs, ancestor_slugs, variants,
                                           variant_attributes_flat, images))

SearchIndex::Write write_of(IndexedProduct product, std::int64_t version);
std::string card_of(const IndexedProduct& product);

// In which language and currency somebody looks. Nothing: the base currency.
struct Conversion {
  Currency currency;
  Rate rate;
};
struct View {
  std::string language;
  std::optional<Conversion> conversion;
};

void append_hit(std::string& out, std::string_view card, const View& view);

Facets facets_of(const SearchResult& result);

}  // namespace shop::search

// What search-service says on the wire (contract, section 6).
#pragma once

#include "services/product/api.hpp"

namespace shop::search {

using codec::LeftOut;

enum class SortField { _score, price, createdAt, averageRating };
BOOST_DESCRIBE_ENUM(SortField, _score, price, createdAt, averageRating)

struct SearchRequest {
  std::optional<Text<0, 200>> q;
  std::optional<Text<0, 100>> category;  // slug; a parent's includes its children
  std::optional<Price> minPrice, maxPrice;  // in the requested currency
  std::optional<bool> inStock;
  codec::AttributeFilter attributes;
  codec::PageNumber page;
  codec::PageLimit<24> limit;
  std::optional<SortField> sortBy;
  std::optional<product::SortOrder> sortOrder;
};
BOOST_DESCRIBE_STRUCT(SearchRequest, (), (q, category, minPrice, maxPrice, inStock, attributes, page, limit, sortBy, sortOrder))

struct HitCategory {
  std::string name, slug;
};
BOOST_DESCRIBE_STRUCT(HitCategory, (), (name, slug))

struct HitVariant {
  VariantId id;
  product::Attributes attributes;
  product::ShownPrice price;
  std::int64_t stockQuantity = 0;
};
BOOST_DESCRIBE_STRUCT(HitVariant, (), (id, attributes, price, stockQuantity))

// Rendered from a card (domain.hpp), never from this struct, which describes it.
struct Hit {
  ProductId id;
  std::string sku, name;
  std::optional<std::string> description;
  bool isActive = true;
  Instant createdAt, updatedAt;
  double averageRating = 0;
  std::int64_t reviewCount = 0;
  std::optional<std::string> primaryImageUrl;
  std::vector<std::string> category_names_en, category_names_fr, category_names_ar, category_slugs;
  std::vector<HitCategory> categories;
  std::vector<HitVariant> variants;
  std::vector<std::string> variant_attributes_flat;
  std::vector<product::DocumentImage> images;
};
BOOST_DESCRIBE_STRUCT(Hit, (), (id, sku, name, description, isActive, createdAt, updatedAt, averageRating, reviewCount, primaryImageUrl,
                                category_names_en, category_names_fr, category_names_ar, category_slugs, categories, variants,
                                variant_attributes_flat, images))

struct CategoryFacet {
  std::string slug;
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(CategoryFacet, (), (slug, count))

struct AttributeOption {
  std::string value;
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(AttributeOption, (), (value, count))

struct AttributeFacet {
  std::string name;
  std::vector<AttributeOption> options;
};
BOOST_DESCRIBE_STRUCT(AttributeFacet, (), (name, options))

// "500.0-*": from 500 on, in the base currency; `to` is not part of it.
struct PriceRangeFacet {
  std::string key;
  LeftOut<std::int64_t> from, to;
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(PriceRangeFacet, (), (key, from, to, count))

struct Facets {
  std::vector<CategoryFacet> categories;
  std::vector<AttributeFacet> attributes;
  std::vector<PriceRangeFacet> price_ranges;
};
BOOST_DESCRIBE_STRUCT(Facets, (), (categories, attributes, price_ranges))

struct SearchAnswer {
  std::vector<Hit> data;
  codec::Pagination pagination;
  Facets facets;
};
BOOST_DESCRIBE_STRUCT(SearchAnswer, (), (data, pagination, facets))

// --- for operators

enum class RebuildStatus { NONE, WAITING, RUNNING, DONE, FAILED };
BOOST_DESCRIBE_ENUM(RebuildStatus, NONE, WAITING, RUNNING, DONE, FAILED)

// The last rebuild that this instance was asked for or found due.
struct RebuildReport {
  std::string message;
  RebuildStatus status = RebuildStatus::NONE;
  std::int64_t indexed = 0;  // products so far
};
BOOST_DESCRIBE_STRUCT(RebuildReport, (), (message, status, indexed))

}  // namespace shop::search

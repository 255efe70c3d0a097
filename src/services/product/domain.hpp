// The catalogue as values: rows, what they look like to a visitor, and the rules that need no store.
#pragma once

#include "services/product/api.hpp"

namespace shop::product {

struct ProductRow {
  ProductId id;
  std::string sku;
  Texts name, description;
  bool is_active = true;
  std::int64_t rating_hundredths = 0, review_count = 0, version = 1;
  Instant created_at, updated_at;
};
BOOST_DESCRIBE_STRUCT(ProductRow, (), (id, sku, name, description, is_active, rating_hundredths, review_count, version, created_at,
                                       updated_at))

struct VariantRow {
  VariantId id;
  ProductId product_id;
  Attributes attributes;
  Price price;
  std::optional<Price> cost_price;
  std::int64_t stock_quantity = 0;
  std::optional<std::int64_t> low_stock_threshold;
  Instant created_at, updated_at;
};
BOOST_DESCRIBE_STRUCT(VariantRow, (), (id, product_id, attributes, price, cost_price, stock_quantity, low_stock_threshold,
                                       created_at, updated_at))

// With the slug of its parent: a category of a product.
struct ProductCategoryRow {
  ProductId product_id;
  CategoryId id;
  std::string slug;
  Texts name;
  std::optional<CategoryId> parent_id;
  std::optional<std::string> image_url;
  Instant created_at, updated_at;
  std::optional<std::string> parent_slug;
};
BOOST_DESCRIBE_STRUCT(ProductCategoryRow, (), (product_id, id, slug, name, parent_id, image_url, created_at, updated_at, parent_slug))

struct CategoryRowWithCounts {
  CategoryId id;
  std::string slug;
  Texts name;
  std::optional<CategoryId> parent_id;
  std::optional<std::string> image_url;
  std::int64_t version = 1;
  Instant created_at, updated_at;
  std::int64_t product_count = 0, child_count = 0;
};
BOOST_DESCRIBE_STRUCT(CategoryRowWithCounts, (), (id, slug, name, parent_id, image_url, version, created_at, updated_at,
                                                  product_count, child_count))

// A product with everything that belongs to it, as it was at one moment.
struct Snapshot {
  ProductRow product;
  std::vector<VariantRow> variants;             // oldest first
  std::vector<ProductCategoryRow> categories;
  std::vector<Image> images;                    // by order
};

// In which language and currency somebody looks, and what they may see.
struct View {
  std::string language;
  Currency base, currency;
  Rate rate;
  bool staff = false;  // read:product: inactive products, cost prices

  bool converts() const { return currency != base; }
  ShownPrice shown(Price price) const;
};

Variant variant_of(const VariantRow& row, const View& view);
ListProduct list_product(const Snapshot& snapshot, const View& view);
DetailProduct detail_product(const Snapshot& snapshot, const View& view);
BareProduct bare_product(const ProductRow& row);
ProductDocument document_of(const Snapshot& snapshot);
std::optional<std::string> primary_image(const std::vector<Image>& images);

Category category_of(const CategoryRowWithCounts& row, std::string_view language);
CategoryRow category_row(const CategoryRowWithCounts& row);

// Roots only, each with its children, sorted by name.
std::vector<Category> as_tree(std::vector<Category> flat);
void sort_by_name(std::vector<Category>& categories);

std::optional<Texts> texts_of(const std::optional<LocalTextOrNone<500>>& input);  // none when there is no text in it
Promotion promotion_with(const Promotion& before, const UpdatePromotion& change, Instant now);
ShownPromotion shown_promotion(const Promotion& promotion, std::string_view language);

}  // namespace shop::product

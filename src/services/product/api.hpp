// What product-service says on the wire (contract, section 4), and its events (section 13).
#pragma once

#include "codec/forms.hpp"
#include "codec/query_reader.hpp"

namespace shop::product {

using codec::Bounded;
using codec::LeftOut;
using codec::LocalText;
using codec::LocalTextOrNone;
using codec::MayBeBlank;
using codec::Patch;

// A price as clients see it: the exact decimal as a string in the base currency, a number in any other.
struct ShownPrice {
  Money money;
  bool converted = false;
};

using Attributes = std::map<std::string, std::string>;

struct AttributeInput {
  Attributes values;  // at most 30; names and values up to 200 characters
};

// --- answers

struct Variant {
  VariantId id;
  ProductId productId;
  Attributes attributes;
  ShownPrice price;
  std::optional<ShownPrice> costPrice;  // only for read:product
  std::int64_t stockQuantity = 0;
  std::optional<std::int64_t> lowStockThreshold;
  Instant createdAt, updatedAt;
};
BOOST_DESCRIBE_STRUCT(Variant, (), (id, productId, attributes, price, costPrice, stockQuantity, lowStockThreshold, createdAt, updatedAt))

struct Image {
  ImageId id;
  ProductId productId;
  std::string imageUrl;
  std::optional<std::string> altText;
  bool isPrimary = false;
  std::int64_t order = 0;
  Instant createdAt;
};
BOOST_DESCRIBE_STRUCT(Image, (), (id, productId, imageUrl, altText, isPrimary, order, createdAt))

struct CategoryName {
  CategoryId id;
  std::string name, slug;
};
BOOST_DESCRIBE_STRUCT(CategoryName, (), (id, name, slug))

struct ListCategory {
  CategoryId id;
  std::string name, slug;
  std::optional<CategoryId> parentId;
  std::optional<std::string> imageUrl;
  Instant createdAt, updatedAt;
  CategoryName category;
};
BOOST_DESCRIBE_STRUCT(ListCategory, (), (id, name, slug, parentId, imageUrl, createdAt, updatedAt, category))

struct ListProduct {
  ProductId id;
  std::string sku, name;
  std::optional<std::string> description;
  bool isActive = true;
  Instant createdAt, updatedAt;
  double averageRating = 0;
  std::int64_t reviewCount = 0;
  std::vector<Variant> variants;
  std::vector<ListCategory> categories;
  std::vector<Image> images;
};
BOOST_DESCRIBE_STRUCT(ListProduct, (), (id, sku, name, description, isActive, createdAt, updatedAt, averageRating, reviewCount,
                                        variants, categories, images))

struct CategoryTexts {
  CategoryId id;
  Texts name;
  std::string slug;
  std::optional<CategoryId> parentId;
  std::optional<std::string> imageUrl;
  Instant createdAt, updatedAt;
};
BOOST_DESCRIBE_STRUCT(CategoryTexts, (), (id, name, slug, parentId, imageUrl, createdAt, updatedAt))

struct DetailCategory {
  CategoryId id;
  ProductId productId;
  CategoryId categoryId;
  CategoryTexts category;
};
BOOST_DESCRIBE_STRUCT(DetailCategory, (), (id, productId, categoryId, category))

struct DetailProduct {
  ProductId id;
  std::string sku;
  Texts name, description;
  bool isActive = true;
  Instant createdAt, updatedAt;
  double averageRating = 0;
  std::int64_t reviewCount = 0;
  std::vector<Variant> variants;
  std::vector<DetailCategory> categories;
  std::vector<Image> images;
};
BOOST_DESCRIBE_STRUCT(DetailProduct, (), (id, sku, name, description, isActive, createdAt, updatedAt, averageRating, reviewCount,
                                          variants, categories, images))

struct BareProduct {
  ProductId id;
  std::string sku;
  Texts name, description;
  bool isActive = true;
  Instant createdAt, updatedAt;
  double averageRating = 0;
  std::int64_t reviewCount = 0;
};
BOOST_DESCRIBE_STRUCT(BareProduct, (), (id, sku, name, description, isActive, createdAt, updatedAt, averageRating, reviewCount))

struct Meta {
  std::string currency;
};
BOOST_DESCRIBE_STRUCT(Meta, (), (currency))

struct ProductPage {
  std::vector<ListProduct> data;
  Meta meta;
  codec::Pagination pagination;
};
BOOST_DESCRIBE_STRUCT(ProductPage, (), (data, meta, pagination))

struct ProductAnswer {
  DetailProduct data;
  Meta meta;
};
BOOST_DESCRIBE_STRUCT(ProductAnswer, (), (data, meta))

struct Message {
  std::string message;
};
BOOST_DESCRIBE_STRUCT(Message, (), (message))

struct Broadcasted {
  std::string message;
  std::int64_t broadcasted = 0;
};
BOOST_DESCRIBE_STRUCT(Broadcasted, (), (message, broadcasted))

// --- requests: products

enum class ProductSort { createdAt, updatedAt, sku, averageRating, reviewCount, price, name };
BOOST_DESCRIBE_ENUM(ProductSort, createdAt, updatedAt, sku, averageRating, reviewCount, price, name)

enum class SortOrder { asc, desc };
BOOST_DESCRIBE_ENUM(SortOrder, asc, desc)

struct ProductQuery {
  codec::PageNumber page;
  codec::PageLimit<10> limit;
  std::optional<Text<0, 100>> categorySlug;
  std::optional<ProductSort> sortBy;
  std::optional<SortOrder> sortOrder;
  std::optional<bool> isActive;
  std::optional<Text<0, 200>> q;
  std::optional<Price> minPrice, maxPrice;  // in the requested currency
  std::optional<bool> inStock;
  codec::AttributeFilter attributes;
};
BOOST_DESCRIBE_STRUCT(ProductQuery, (), (page, limit, categorySlug, sortBy, sortOrder, isActive, q, minPrice, maxPrice, inStock,
                                         attributes))

using Stock = Bounded<0, 1'000'000'000>;

struct NewVariant {
  std::optional<AttributeInput> attributes;
  Price price;
  std::optional<Price> costPrice;
  std::optional<Stock> initialStockQuantity, lowStockThreshold;
};
BOOST_DESCRIBE_STRUCT(NewVariant, (), (attributes, price, costPrice, initialStockQuantity, lowStockThreshold))

struct NewImage {
  Url imageUrl;
  std::optional<Text<0, 500>> altText;
  std::optional<bool> isPrimary;
  std::optional<Bounded<0, 10'000>> order;
};
BOOST_DESCRIBE_STRUCT(NewImage, (), (imageUrl, altText, isPrimary, order))

using ProductName = LocalText<200>;
using ProductDescription = LocalTextOrNone<20'000>;

struct NewProduct {
  Sku sku;
  ProductName name;
  std::optional<ProductDescription> description;
  std::optional<bool> isActive;
  std::optional<std::vector<NewVariant>> variants;
  std::optional<std::vector<CategoryId>> categoryIds;
  std::optional<std::vector<NewImage>> images;
};
BOOST_DESCRIBE_STRUCT(NewProduct, (), (sku, name, description, isActive, variants, categoryIds, images))

struct UpdateProduct {
  std::optional<Sku> sku;
  std::optional<ProductName> name;
  Patch<ProductDescription> description;
  std::optional<bool> isActive;
};
BOOST_DESCRIBE_STRUCT(UpdateProduct, (), (sku, name, description, isActive))

struct CategoryIds {
  std::vector<CategoryId> categoryIds;
};
BOOST_DESCRIBE_STRUCT(CategoryIds, (), (categoryIds))

struct CategoryIdsToRemove {
  std::vector<std::optional<CategoryId>> categoryIds;
};
BOOST_DESCRIBE_STRUCT(CategoryIdsToRemove, (), (categoryIds))

struct ImageIds {
  std::vector<ImageId> imageIds;
};
BOOST_DESCRIBE_STRUCT(ImageIds, (), (imageIds))

struct CreatedProduct {
  ProductId id;
  std::string sku;
};
BOOST_DESCRIBE_STRUCT(CreatedProduct, (), (id, sku))

struct BulkProducts {
  std::string message;
  std::vector<CreatedProduct> createdProducts;
};
BOOST_DESCRIBE_STRUCT(BulkProducts, (), (message, createdProducts))

// --- variants and stock

struct NewStandaloneVariant {
  AttributeInput attributes;
  Price price;
  std::optional<Price> costPrice;
  std::optional<Stock> initialStockQuantity, lowStockThreshold;
};
BOOST_DESCRIBE_STRUCT(NewStandaloneVariant, (), (attributes, price, costPrice, initialStockQuantity, lowStockThreshold))

struct UpdateVariant {
  std::optional<AttributeInput> attributes;
  std::optional<Price> price;
  Patch<Price> costPrice;
  Patch<Stock> lowStockThreshold;
};
BOOST_DESCRIBE_STRUCT(UpdateVariant, (), (attributes, price, costPrice, lowStockThreshold))

enum class MovementType { INITIAL_STOCK, ADMIN_UPDATE, ORDER, ADJUSTMENT, ORDER_CANCELLED, RETURN_RESTOCK };
BOOST_DESCRIBE_ENUM(MovementType, INITIAL_STOCK, ADMIN_UPDATE, ORDER, ADJUSTMENT, ORDER_CANCELLED, RETURN_RESTOCK)

struct StockChange {
  std::int64_t value = 0;  // not 0, at most 10^9 either way
};

struct AdjustStock {
  StockChange changeQuantity;
  MovementType type = MovementType::ADJUSTMENT;
  std::optional<Text<0, 500>> reason;
  std::optional<Text<0, 100>> relatedOrderId;
  std::optional<Instant> timestamp;
};
BOOST_DESCRIBE_STRUCT(AdjustStock, (), (changeQuantity, type, reason, relatedOrderId, timestamp))

struct Movement {
  MovementId id;
  VariantId variantId;
  std::int64_t changeQuantity = 0;
  MovementType type = MovementType::ADJUSTMENT;
  Instant timestamp;
  std::optional<std::string> reason, relatedOrderId;
};
BOOST_DESCRIBE_STRUCT(Movement, (), (id, variantId, changeQuantity, type, timestamp, reason, relatedOrderId))

struct AdjustAnswer {
  std::string message;
  Movement movement;
  std::int64_t newStockQuantity = 0;
};
BOOST_DESCRIBE_STRUCT(AdjustAnswer, (), (message, movement, newStockQuantity))

struct ReserveLine {
  VariantId variantId;
  Bounded<1, 1'000'000> quantity;
};
BOOST_DESCRIBE_STRUCT(ReserveLine, (), (variantId, quantity))

struct ReserveRequest {
  OrderId orderId;
  std::vector<ReserveLine> items;     // 1 to 100; lines of one variant are added up
  std::optional<Currency> currency;   // for the rate in the quote; unknown: 400
};
BOOST_DESCRIBE_STRUCT(ReserveRequest, (), (orderId, items, currency))

// The catalogue at the moment of the reservation: what an order is priced with.
struct QuoteLine {
  VariantId variantId;
  ProductId productId;
  std::int64_t quantity = 0;
  Price price;
  std::optional<Price> costPrice;
  Texts productName;
  std::string sku;
  Attributes attributes;
  std::optional<std::string> imageUrl;
};
BOOST_DESCRIBE_STRUCT(QuoteLine, (), (variantId, productId, quantity, price, costPrice, productName, sku, attributes, imageUrl))

struct ReserveAnswer {
  OrderId orderId;
  std::string status;
  Currency baseCurrency, currency;
  Rate rate;
  std::vector<QuoteLine> lines;
};
BOOST_DESCRIBE_STRUCT(ReserveAnswer, (), (orderId, status, baseCurrency, currency, rate, lines))

struct ReleaseRequest {
  OrderId orderId;
  Text<1, 500> reason;
};
BOOST_DESCRIBE_STRUCT(ReleaseRequest, (), (orderId, reason))

struct ReleaseAnswer {
  OrderId orderId;
  std::string status;
};
BOOST_DESCRIBE_STRUCT(ReleaseAnswer, (), (orderId, status))

struct VariantIds {
  std::vector<VariantId> variantIds;  // at most 500
};
BOOST_DESCRIBE_STRUCT(VariantIds, (), (variantIds))

struct VariantDetails {
  Price price;
  std::optional<Price> costPrice;
  Currency baseCurrency;
  Attributes attributes;
  ProductId productId;
  Texts productName;
  std::string sku;
  std::optional<std::string> imageUrl;
  bool isActive = true;
  std::int64_t stockQuantity = 0;
};
BOOST_DESCRIBE_STRUCT(VariantDetails, (), (price, costPrice, baseCurrency, attributes, productId, productName, sku, imageUrl,
                                           isActive, stockQuantity))

// --- categories

enum class CategoryFormat { tree, flat };
BOOST_DESCRIBE_ENUM(CategoryFormat, tree, flat)

struct CategoryQuery {
  std::optional<std::string> format;
};
BOOST_DESCRIBE_STRUCT(CategoryQuery, (), (format))

struct Category {
  CategoryId id;
  std::string name, slug;
  std::optional<CategoryId> parentId;
  std::optional<std::string> imageUrl;
  Instant createdAt, updatedAt;
  bool isLeaf = true;
  std::int64_t productCount = 0, subCategoryCount = 0;
  LeftOut<std::vector<Category>> children;  // in a tree, of those that have some
};
BOOST_DESCRIBE_STRUCT(Category, (), (id, name, slug, parentId, imageUrl, createdAt, updatedAt, isLeaf, productCount,
                                     subCategoryCount, children))

struct CategoryDetail {
  CategoryId id;
  std::string name, slug;
  std::optional<CategoryId> parentId;
  std::optional<std::string> imageUrl;
  Instant createdAt, updatedAt;
  bool isLeaf = true;
  std::int64_t productCount = 0, subCategoryCount = 0;
  std::optional<Category> parent;
  std::vector<Category> children;
};
BOOST_DESCRIBE_STRUCT(CategoryDetail, (), (id, name, slug, parentId, imageUrl, createdAt, updatedAt, isLeaf, productCount,
                                           subCategoryCount, parent, children))

struct CategoryRow {
  CategoryId id;
  Texts name;
  std::string slug;
  std::optional<CategoryId> parentId;
  std::optional<std::string> imageUrl;
  Instant createdAt, updatedAt;
  bool isLeaf = true;
  std::int64_t productCount = 0, subCategoryCount = 0;
};
BOOST_DESCRIBE_STRUCT(CategoryRow, (), (id, name, slug, parentId, imageUrl, createdAt, updatedAt, isLeaf, productCount,
                                        subCategoryCount))

struct NewCategory {
  LocalText<200> name;
  Slug slug;
  std::optional<MayBeBlank<CategoryId>> parentId;
  std::optional<MayBeBlank<Url>> imageUrl;
};
BOOST_DESCRIBE_STRUCT(NewCategory, (), (name, slug, parentId, imageUrl))

struct UpdateCategory {
  std::optional<LocalText<200>> name;
  std::optional<Slug> slug;
  Patch<MayBeBlank<CategoryId>> parentId;  // null: becomes a root
  Patch<MayBeBlank<Url>> imageUrl;
};
BOOST_DESCRIBE_STRUCT(UpdateCategory, (), (name, slug, parentId, imageUrl))

struct BulkCategories {
  std::string message;
  std::vector<CategoryRow> createdCategories;
};
BOOST_DESCRIBE_STRUCT(BulkCategories, (), (message, createdCategories))

// --- currencies

struct CurrencyRow {
  Currency code;
  Rate rateVsBase;
  bool isBase = false;
  Instant lastUpdated;
};
BOOST_DESCRIBE_STRUCT(CurrencyRow, (), (code, rateVsBase, isBase, lastUpdated))

// The code of a currency that is made or changed: capitals only.
struct CurrencyCode : Currency {
  static std::expected<CurrencyCode, std::string> parse(std::string_view text) {
    const auto currency = Currency::parse(text);
    if (!currency || currency->text() != text) return std::unexpected("must be a currency code of three capital letters");
    return CurrencyCode{*currency};
  }

  static constexpr std::string_view schema_pattern = "^[A-Z]{3}$";
};

struct SetCurrency {
  CurrencyCode code;
  Rate rateVsBase;
  std::optional<bool> isBase;
};
BOOST_DESCRIBE_STRUCT(SetCurrency, (), (code, rateVsBase, isBase))

// --- promotions

struct Promotion {
  PromotionId id;
  Texts title;
  std::optional<Texts> subtitle, tagline;
  Texts ctaText;
  std::string ctaLink, imageUrl;
  std::optional<std::string> productImageUrl;
  std::optional<Instant> expiresAt;
  bool isActive = false;
  std::int64_t displayOrder = 0;
  Instant createdAt, updatedAt;
};
BOOST_DESCRIBE_STRUCT(Promotion, (), (id, title, subtitle, tagline, ctaText, ctaLink, imageUrl, productImageUrl, expiresAt, isActive,
                                      displayOrder, createdAt, updatedAt))

struct ShownPromotion {
  PromotionId id;
  std::string title;
  std::optional<std::string> subtitle, tagline;
  std::string ctaText, ctaLink, imageUrl;
  std::optional<std::string> productImageUrl;
  std::optional<Instant> expiresAt;
  bool isActive = false;
  std::int64_t displayOrder = 0;
  Instant createdAt, updatedAt;
};
BOOST_DESCRIBE_STRUCT(ShownPromotion, (), (id, title, subtitle, tagline, ctaText, ctaLink, imageUrl, productImageUrl, expiresAt,
                                           isActive, displayOrder, createdAt, updatedAt))

struct NewPromotion {
  LocalText<200> title;
  std::optional<LocalTextOrNone<500>> subtitle, tagline;
  LocalText<200> ctaText;
  Url ctaLink, imageUrl;
  std::optional<MayBeBlank<Url>> productImageUrl;
  std::optional<MayBeBlank<Instant>> expiresAt;
  std::optional<bool> isActive;
  std::optional<Bounded<0, 10'000>> displayOrder;
};
BOOST_DESCRIBE_STRUCT(NewPromotion, (), (title, subtitle, tagline, ctaText, ctaLink, imageUrl, productImageUrl, expiresAt, isActive,
                                         displayOrder))

struct UpdatePromotion {
  std::optional<LocalText<200>> title;
  Patch<LocalTextOrNone<500>> subtitle, tagline;
  std::optional<LocalText<200>> ctaText;
  std::optional<Url> ctaLink, imageUrl;
  Patch<MayBeBlank<Url>> productImageUrl;
  std::optional<MayBeBlank<Instant>> expiresAt;  // missing clears it
  std::optional<bool> isActive;
  std::optional<Bounded<0, 10'000>> displayOrder;
};
BOOST_DESCRIBE_STRUCT(UpdatePromotion, (), (title, subtitle, tagline, ctaText, ctaLink, imageUrl, productImageUrl, expiresAt,
                                            isActive, displayOrder))

struct Reorder {
  std::vector<PromotionId> orderedIds;
};
BOOST_DESCRIBE_STRUCT(Reorder, (), (orderedIds))

// --- events on product_events, key = product or category

struct DocumentVariant {
  VariantId id;
  Attributes attributes;
  std::string price;
  std::int64_t stockQuantity = 0;
};
BOOST_DESCRIBE_STRUCT(DocumentVariant, (), (id, attributes, price, stockQuantity))

struct DocumentImage {
  ImageId id;
  std::string imageUrl;
  std::optional<std::string> altText;
  bool isPrimary = false;
  std::int64_t order = 0;
};
BOOST_DESCRIBE_STRUCT(DocumentImage, (), (id, imageUrl, altText, isPrimary, order))

struct ProductDocument {
  ProductId id;
  std::string sku;
  Texts name, description;
  bool isActive = true;
  Instant createdAt, updatedAt;
  double averageRating = 0;
  std::int64_t reviewCount = 0;
  std::optional<std::string> primaryImageUrl;
  std::vector<Texts> category_names;
  std::vector<std::string> category_slugs;
  std::vector<std::string> ancestor_slugs;
  std::vector<DocumentVariant> variants;
  std::vector<std::string> variant_attributes_flat;
  std::vector<DocumentImage> images;
};
BOOST_DESCRIBE_STRUCT(ProductDocument, (), (id, sku, name, description, isActive, createdAt, updatedAt, averageRating, reviewCount,
                                            primaryImageUrl, category_names, category_slugs, ancestor_slugs, variants,
                                            variant_attributes_flat, images))

struct DeletedEvent {
  Uuid id;
};
BOOST_DESCRIBE_STRUCT(DeletedEvent, (), (id))

struct VersionedDocument {
  std::int64_t version = 0;
  ProductDocument document;
};
BOOST_DESCRIBE_STRUCT(VersionedDocument, (), (version, document))

struct DocumentQuery {
  std::optional<ProductId> after;
  std::optional<std::int64_t> limit;
};
BOOST_DESCRIBE_STRUCT(DocumentQuery, (), (after, limit))

struct DocumentPage {
  std::vector<VersionedDocument> documents;
  std::optional<ProductId> next;
};
BOOST_DESCRIBE_STRUCT(DocumentPage, (), (documents, next))

}  // namespace shop::product

namespace shop::codec {

template <>
struct JsonForm<product::ShownPrice> {
  static void write(std::string& out, const product::ShownPrice& price) {
    if (price.converted) out += price.money.text();
    else write_string(out, price.money.text());
  }
  static json::object schema() { return {{"type", {"string", "number"}}}; }
};

template <>
struct JsonForm<product::AttributeInput> {
  static void write(std::string& out, const product::AttributeInput& input) { write_json(out, input.values); }
  static std::optional<std::string> read(const json::value& in, product::AttributeInput& out);
  static json::object schema() {
    return {{"type", "object"},
            {"maxProperties", 30},
            {"propertyNames", {{"minLength", 1}, {"maxLength", 200}}},
            {"additionalProperties", {{"type", "string"}, {"maxLength", 200}}},
            {"example", {{"Color", "Black"}}}};
  }
};

template <>
struct JsonForm<product::StockChange> {
  static void write(std::string& out, const product::StockChange& change) { write_json(out, change.value); }
  static std::optional<std::string> read(const json::value& in, product::StockChange& out);
  static json::object schema() {
    return {{"type", "integer"}, {"minimum", -1'000'000'000}, {"maximum", 1'000'000'000}, {"not", {{"const", 0}}}};
  }
};

}  // namespace shop::codec

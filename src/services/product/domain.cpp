#include "services/product/domain.hpp"

#include <algorithm>

namespace shop::product {
namespace {

double rating(const ProductRow& row) { return static_cast<double>(row.rating_hundredths) / 100; }

std::optional<std::string> localised_if(const std::optional<Texts>& texts, std::string_view language) {
  if (!texts) return std::nullopt;
  return std::string(localised(*texts, language));
}

void change(std::optional<Texts>& texts, const Patch<LocalTextOrNone<500>>& patch) {
  if (patch.present) texts = texts_of(patch.value);
}

}  // namespace

std::optional<Texts> texts_of(const std::optional<LocalTextOrNone<500>>& input) {
  if (!input || input->texts.empty()) return std::nullopt;
  return input->texts;
}

ShownPrice View::shown(Price price) const {
  const Money money{price.minor, base};
  if (!converts()) return {money, false};
  return {convert(money, rate, currency).value_or(Money{max_minor, currency}), true};
}

Variant variant_of(const VariantRow& row, const View& view) {
  Variant variant{row.id, row.product_id, row.attributes, view.shown(row.price), std::nullopt, row.stock_quantity,
                  row.low_stock_threshold, row.created_at, row.updated_at};
  if (view.staff && row.cost_price) variant.costPrice = view.shown(*row.cost_price);
  return variant;
}

ListProduct list_product(const Snapshot& snapshot, const View& view) {
  const auto& row = snapshot.product;
  ListProduct product{row.id, row.sku, std::string(localised(row.name, view.language)), std::nullopt, row.is_active, row.created_at,
                      row.updated_at, rating(row), row.review_count, {}, {}, snapshot.images};
  if (const auto text = localised(row.description, view.language); !text.empty()) product.description = text;
  for (const auto& variant : snapshot.variants) product.variants.push_back(variant_of(variant, view));
  for (const auto& category : snapshot.categories) {
    const std::string name(localised(category.name, view.language));
    product.categories.push_back({category.id, name, category.slug, category.parent_id, category.image_url, category.created_at,
                                  category.updated_at, {category.id, name, category.slug}});
  }
  return product;
}

DetailProduct detail_product(const Snapshot& snapshot, const View& view) {
  const auto& row = snapshot.product;
  DetailProduct product{row.id, row.sku, row.name, row.description, row.is_active, row.created_at, row.updated_at, rating(row),
                        row.review_count, {}, {}, snapshot.images};
  for (const auto& variant : snapshot.variants) product.variants.push_back(variant_of(variant, view));
  for (const auto& c : snapshot.categories) {
    product.categories.push_back({c.id, row.id, c.id, {c.id, c.name, c.slug, c.parent_id, c.image_url, c.created_at, c.updated_at}});
  }
  return product;
}

BareProduct bare_product(const ProductRow& row) {
  return {row.id, row.sku, row.name, row.description, row.is_active, row.created_at, row.updated_at, rating(row), row.review_count};
}

std::optional<std::string> primary_image(const std::vector<Image>& images) {
  if (images.empty()) return std::nullopt;
  const auto primary = std::ranges::find_if(images, &Image::isPrimary);
  return (primary == images.end() ? images.front() : *primary).imageUrl;
}

ProductDocument document_of(const Snapshot& snapshot) {
  const auto& row = snapshot.product;
  ProductDocument document;
  document.id = row.id;
  document.sku = row.sku;
  document.name = row.name;
  document.description = row.description;
  document.isActive = row.is_active;
  document.createdAt = row.created_at;
  document.updatedAt = row.updated_at;
  document.averageRating = rating(row);
  document.reviewCount = row.review_count;
  document.primaryImageUrl = primary_image(snapshot.images);
  for (const auto& category : snapshot.categories) {
    document.category_names.push_back(category.name);
    document.category_slugs.push_back(category.slug);
    if (category.parent_slug) document.ancestor_slugs.push_back(*category.parent_slug);
  }
  std::set<std::string> flat;
  for (const auto& variant : snapshot.variants) {
    document.variants.push_back({variant.id, variant.attributes, variant.price.text(), variant.stock_quantity});
    for (const auto& [name, value] : variant.attributes) flat.insert(name + ":" + value);
  }
  document.variant_attributes_flat.assign(flat.begin(), flat.end());
  for (const auto& image : snapshot.images) {
    document.images.push_back({image.id, image.imageUrl, image.altText, image.isPrimary, image.order});
  }
  return document;
}

Category category_of(const CategoryRowWithCounts& row, std::string_view language) {
  return {row.id, std::string(localised(row.name, language)), row.slug, row.parent_id, row.image_url, row.created_at, row.updated_at,
          row.child_count == 0, row.product_count, row.child_count, {}};
}

CategoryRow category_row(const CategoryRowWithCounts& row) {
  return {row.id, row.name, row.slug, row.parent_id, row.image_url, row.created_at, row.updated_at, row.child_count == 0,
          row.product_count, row.child_count};
}

void sort_by_name(std::vector<Category>& categories) {
  std::ranges::sort(categories, {}, [](const Category& c) { return std::pair(fold(c.name), c.slug); });
}

std::vector<Category> as_tree(std::vector<Category> flat) {
  sort_by_name(flat);
  std::vector<Category> roots;
  std::map<CategoryId, std::vector<Category>> children;
  for (auto& category : flat) {
    if (category.parentId) children[*category.parentId].push_back(std::move(category));
    else roots.push_back(std::move(category));
  }
  for (auto& root : roots) {
    if (auto it = children.find(root.id); it != children.end()) root.children.value = std::move(it->second);
  }
  return roots;
}

Promotion promotion_with(const Promotion& before, const UpdatePromotion& update, Instant now) {
  Promotion after = before;
  if (update.title) after.title = update.title->texts;
  change(after.subtitle, update.subtitle);
  change(after.tagline, update.tagline);
  if (update.ctaText) after.ctaText = update.ctaText->texts;
  if (update.ctaLink) after.ctaLink = update.ctaLink->value;
  if (update.imageUrl) after.imageUrl = update.imageUrl->value;
  if (update.productImageUrl.present) {
    const auto image = codec::given(update.productImageUrl.value);
    after.productImageUrl = image ? std::optional(image->value) : std::nullopt;
  }
  after.expiresAt = codec::given(update.expiresAt);
  if (update.isActive) after.isActive = *update.isActive;
  if (update.displayOrder) after.displayOrder = *update.displayOrder;
  after.updatedAt = now;
  return after;
}

ShownPromotion shown_promotion(const Promotion& p, std::string_view language) {
  return {p.id, std::string(localised(p.title, language)), localised_if(p.subtitle, language), localised_if(p.tagline, language),
          std::string(localised(p.ctaText, language)), p.ctaLink, p.imageUrl, p.productImageUrl, p.expiresAt, p.isActive,
          p.displayOrder, p.createdAt, p.updatedAt};
}

}  // namespace shop::product

namespace shop::codec {

std::optional<std::string> JsonForm<product::AttributeInput>::read(const json::value& in, product::AttributeInput& out) {
  const auto* object = in.if_object();
  if (!object) return "must be an object of strings";
  if (object->size() > 30) return "must have at most 30 attributes";
  for (const auto& [key, value] : *object) {
    const auto* text = value.if_string();
    if (!text) return "must be an object of strings";
    const auto name_length = utf8_length(std::string_view(key)), length = utf8_length(std::string_view(*text));
    if (name_length < 1 || name_length > 200 || length < 0 || length > 200) {
      return "must have names of 1 to 200 and values of at most 200 characters";
    }
    out.values[std::string(key)] = std::string(*text);
  }
  return std::nullopt;
}

std::optional<std::string> JsonForm<product::StockChange>::read(const json::value& in, product::StockChange& out) {
  json::error_code error;
  if (in.is_number()) out.value = in.to_number<std::int64_t>(error);
  constexpr std::int64_t most = 1'000'000'000;
  if (!in.is_number() || error || out.value == 0 || out.value > most || out.value < -most) {
    return "must be a whole number other than 0, at most 1000000000 either way";
  }
  return std::nullopt;
}

}  // namespace shop::codec

#include "services/product/store.hpp"

#include "runtime/consumer.hpp"
#include "runtime/idempotency.hpp"
#include "runtime/outbox.hpp"

namespace shop::product::store {
namespace {

constexpr char initial[] = {
#embed "schema/0001_initial.sql"
    , 0};
constexpr char changed_by_product[] = {
#embed "schema/0002_changed_by_product.sql"
    , 0};
constexpr char active_newest[] = {
#embed "schema/0003_active_newest.sql"
    , 0};

constexpr char catalogue_changes[] = {
#embed "schema/0004_catalogue_changes.sql"
    , 0};

constexpr char stock_marks[] = {
#embed "schema/0005_stock_marks.sql"
    , 0};

constexpr Migration all_migrations[] = {
    {1, "0001_initial", initial},
    {2, "outbox", Outbox::schema},
    {3, "inbox", inbox_schema},
    {4, "idempotency", idempotency_schema},
    {5, "0002_changed_by_product", changed_by_product},
    {6, "0003_active_newest", active_newest},
    {7, "0004_catalogue_changes", catalogue_changes},
    {8, "0005_stock_marks", stock_marks},
};

// --- products

#define PRODUCT_COLUMNS "id, sku, name, description, is_active, rating_hundredths, review_count, version, created_at, updated_at"

constexpr Query product_insert{"product_insert",
                               "INSERT INTO products (" PRODUCT_COLUMNS ", name_en, name_fr, name_ar, search_text)"
                               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"};
constexpr Query product_hold = FOR_CHANGE("product_hold", "SELECT " PRODUCT_COLUMNS " FROM products WHERE id = $1");
constexpr Query product_find_sku{"product_find_sku", "SELECT id FROM products WHERE sku = $1"};
constexpr Query product_update{"product_update",
                               "UPDATE products SET sku = $2, name = $3, description = $4, is_active = $5, updated_at = $6,"
                               " name_en = $7, name_fr = $8, name_ar = $9, search_text = $10, version = version + 1 WHERE id = $1"};
constexpr Query product_delete{"product_delete", "DELETE FROM products WHERE id = $1"};
constexpr Query product_rating{"product_rating",
                               "UPDATE products SET rating_hundredths = $2, review_count = $3, updated_at = $4,"
                               " version = version + 1 WHERE id = $1"};
constexpr Query product_page{"product_page", "SELECT id FROM products WHERE id > $1 ORDER BY id LIMIT $2"};

constexpr Query products_in = WITH_IDS("products_in", "SELECT " PRODUCT_COLUMNS " FROM products WHERE id", "");

#define STAMP_OF_DETAILS                                                                                   \
  "SELECT p.id AS product_id, (SELECT details FROM published_products v WHERE v.product_id = p.id) AS details," \
  " (SELECT count(*) FROM changed_products c WHERE c.product_id = p.id AND NOT c.stock_only) AS marks"
constexpr Query stamps_of_details_in = WITH_IDS("stamps_of_details_in", STAMP_OF_DETAILS ", NULL AS version, NULL AS all_marks FROM products p WHERE p.id", "");
constexpr Query stamps_in = WITH_IDS("stamps_in",
                                     STAMP_OF_DETAILS ", (SELECT version FROM published_products v WHERE v.product_id = p.id) AS version,"
                                     " (SELECT count(*) FROM changed_products c WHERE c.product_id = p.id) AS all_marks FROM products p WHERE p.id",
                                     "");

#define VARIANT_COLUMNS "id, product_id, attributes, price, cost_price, stock_quantity, low_stock_threshold, created_at, updated_at"
constexpr Query variants_in =
    WITH_IDS("variants_in", "SELECT " VARIANT_COLUMNS " FROM variants WHERE product_id", " ORDER BY created_at, id");

#define IMAGE_COLUMNS "id, product_id, image_url, alt_text, is_primary, position, created_at"
constexpr Query images_in =
    WITH_IDS("images_in", "SELECT " IMAGE_COLUMNS " FROM product_images WHERE product_id", " ORDER BY position, created_at, id");

constexpr Query categories_in =
    WITH_IDS("categories_in",
             "SELECT l.product_id, c.id, c.slug, c.name, c.parent_id, c.image_url, c.created_at, c.updated_at, p.slug"
             " FROM product_categories l JOIN categories c ON c.id = l.category_id LEFT JOIN categories p ON p.id = c.parent_id"
             " WHERE l.product_id",
             " ORDER BY c.slug");

constexpr Query owners_in = WITH_IDS("owners_in", "SELECT DISTINCT product_id FROM variants WHERE id", "");

constexpr Query image_insert{"image_insert", "INSERT INTO product_images (" IMAGE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr Query image_clear_primary{"image_clear_primary", "UPDATE product_images SET is_primary = FALSE WHERE product_id = $1 AND is_primary"};
constexpr Query image_next{"image_next", "SELECT COALESCE(MAX(position) + 1, 0) FROM product_images WHERE product_id = $1"};
constexpr Query image_delete{"image_delete", "DELETE FROM product_images WHERE product_id = $1 AND id = $2"};

constexpr Query category_link{"category_link",
                              "INSERT INTO product_categories (product_id, category_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"};
constexpr Query category_unlink{"category_unlink", "DELETE FROM product_categories WHERE product_id = $1 AND category_id = $2"};

// --- variants and stock

constexpr Query variant_insert{"variant_insert", "INSERT INTO variants (" VARIANT_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
constexpr Query variant_find{"variant_find", "SELECT " VARIANT_COLUMNS " FROM variants WHERE id = $1"};
constexpr Query variant_hold = FOR_CHANGE("variant_hold", "SELECT " VARIANT_COLUMNS " FROM variants WHERE id = $1");
constexpr Query variant_of_product{"variant_of_product",
                                   "SELECT " VARIANT_COLUMNS " FROM variants WHERE product_id = $1 ORDER BY created_at, id"};
constexpr Query variant_update{"variant_update",
                               "UPDATE variants SET attributes = $2, price = $3, cost_price = $4, low_stock_threshold = $5,"
                               " updated_at = $6 WHERE id = $1"};
constexpr Query variant_delete{"variant_delete", "DELETE FROM variants WHERE id = $1"};
constexpr Query attributes_clear{"attributes_clear", "DELETE FROM variant_attributes WHERE variant_id = $1"};
constexpr Query attribute_insert{"attribute_insert", "INSERT INTO variant_attributes (variant_id, name, value) VALUES ($1, $2, $3)"};
constexpr Query later_movements{"later_movements",
                                "SELECT count(*) FROM stock_movements WHERE variant_id = $1 AND type <> 'INITIAL_STOCK'"};

constexpr Query stock_change{"stock_change",
                             "UPDATE variants SET stock_quantity = stock_quantity + $2, updated_at = $3"
                             " WHERE id = $1 AND stock_quantity + $2 >= 0 RETURNING stock_quantity"};
// Its CHECK refuses what would be below 0: the whole transaction then fails.
constexpr Query stock_take{"stock_take", "UPDATE variants SET stock_quantity = stock_quantity - $2, updated_at = $3 WHERE id = $1"};

// Held in the order of ids. Not the products: whoever changes one need not wait for its sales.
constexpr Query stock_hold =
    WITH_IDS_FOR_CHANGE("stock_hold",
                        "SELECT v.id, v.product_id, v.price, v.cost_price, v.stock_quantity,"
                        " (SELECT p.is_active FROM products p WHERE p.id = v.product_id) FROM variants v WHERE v.id",
                        " ORDER BY v.id");

#define MOVEMENT_COLUMNS "id, variant_id, change_quantity, type, moved_at, reason, related_order_id"
constexpr Query movement_insert{"movement_insert",
                                "INSERT INTO stock_movements (" MOVEMENT_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7)"
                                " ON CONFLICT DO NOTHING"};
constexpr Query movement_of_order{"movement_of_order",
                                  "SELECT " MOVEMENT_COLUMNS " FROM stock_movements"
                                  " WHERE related_order_id = $1 AND variant_id = $2 AND type = $3"};
constexpr Query movement_list{"movement_list",
                              "SELECT " MOVEMENT_COLUMNS " FROM stock_movements WHERE variant_id = $1"
                              " ORDER BY moved_at DESC, id DESC LIMIT 1000"};

// --- reservations

#define RESERVATION_INSERT "INSERT INTO reservations (order_id, status, expires_at, created_at) VALUES ($1, $2, $3, $4)"
constexpr Query reservation_hold{"reservation_hold", RESERVATION_INSERT};
constexpr Query reservation_insert{"reservation_insert", RESERVATION_INSERT
                                   " ON CONFLICT (order_id) DO NOTHING"};
constexpr Query reservation_drop{"reservation_drop", "DELETE FROM reservations WHERE order_id = $1"};
constexpr Query reservation_find{"reservation_find", "SELECT status FROM reservations WHERE order_id = $1"};
constexpr Query reservation_line_list{"reservation_line_list",
                                      "SELECT variant_id, product_id, quantity, price, cost_price FROM reservation_lines"
                                      " WHERE order_id = $1 ORDER BY variant_id"};
constexpr Query reservation_line_insert{"reservation_line_insert",
                                        "INSERT INTO reservation_lines (order_id, variant_id, product_id, quantity, price, cost_price)"
                                        " VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Query reservation_set{"reservation_set", "UPDATE reservations SET status = $3 WHERE order_id = $1 AND status = $2"};
constexpr Query reservation_expired{"reservation_expired",
                                    "SELECT order_id FROM reservations WHERE status = 'HELD' AND expires_at < $1"
                                    " ORDER BY expires_at LIMIT $2"};

// --- what is still to be published

constexpr Query changed_insert{"changed_insert", "INSERT INTO changed_products (product_id, traceparent, stock_only) VALUES ($1, $2, $3)"};
constexpr Query changed_category{"changed_category",
                                 "INSERT INTO changed_products (product_id, traceparent) SELECT DISTINCT l.product_id, $2 FROM product_categories l"
                                 " JOIN categories c ON c.id = l.category_id WHERE c.id = $1 OR c.parent_id = $1"};
constexpr Query changed_all{"changed_all", "INSERT INTO changed_products (product_id, traceparent) SELECT id, $1 FROM products"};
constexpr Query changed_marks{"changed_marks",
                              "SELECT EXISTS (SELECT 1 FROM changed_products), EXISTS (SELECT 1 FROM changed_products WHERE NOT stock_only)"};
#define CHANGED_LIST "SELECT seq, product_id, traceparent, stock_only FROM changed_products ORDER BY seq LIMIT $1"
constexpr Query changed_take{"changed_take", CHANGED_LIST " FOR UPDATE SKIP LOCKED", CHANGED_LIST};
constexpr Query changed_delete{"changed_delete", "DELETE FROM changed_products WHERE seq = $1"};
constexpr std::uint64_t change_slots = 16;
constexpr Query changes_count_up{"changes_count_up", "UPDATE catalogue_changes SET changes = changes + 1 WHERE slot = $1"};
constexpr Query changes_sum{"changes_sum", "SELECT CAST(SUM(changes) AS BIGINT) FROM catalogue_changes"};
constexpr Query version_next{"version_next",
                             "INSERT INTO published_products (product_id, version, details) VALUES ($1, 1, $2)"
                             " ON CONFLICT (product_id) DO UPDATE SET version = published_products.version + 1,"
                             " details = published_products.details + excluded.details RETURNING version"};
constexpr Query version_find{"version_find", "SELECT version FROM published_products WHERE product_id = $1"};

// --- categories

#define CATEGORY_COLUMNS                                                                                     \
  "c.id, c.slug, c.name, c.parent_id, c.image_url, c.version, c.created_at, c.updated_at,"                  \
  " (SELECT count(*) FROM product_categories l WHERE l.category_id = c.id),"                                \
  " (SELECT count(*) FROM categories k WHERE k.parent_id = c.id)"
constexpr Query category_insert{"category_insert",
                                "INSERT INTO categories (id, slug, name, parent_id, image_url, version, created_at, updated_at)"
                                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr Query category_update{"category_update",
                                "UPDATE categories SET slug = $2, name = $3, parent_id = $4, image_url = $5, updated_at = $6,"
                                " version = version + 1 WHERE id = $1"};
constexpr Query category_hold = FOR_CHANGE("category_hold", "SELECT id FROM categories WHERE id = $1");
constexpr Query category_delete{"category_delete", "DELETE FROM categories WHERE id = $1"};
constexpr Query category_find{"category_find", "SELECT " CATEGORY_COLUMNS " FROM categories c WHERE c.id = $1"};
constexpr Query category_find_slug{"category_find_slug", "SELECT " CATEGORY_COLUMNS " FROM categories c WHERE c.slug = $1"};
constexpr Query category_all{"category_all", "SELECT " CATEGORY_COLUMNS " FROM categories c ORDER BY c.slug"};
constexpr Query category_children{"category_children", "SELECT " CATEGORY_COLUMNS " FROM categories c WHERE c.parent_id = $1"};

// --- currencies, promotions

constexpr Query currency_all{"currency_all", "SELECT code, rate_micros, is_base, last_updated FROM currency_rates ORDER BY code"};
constexpr Query currency_hold = FOR_CHANGE("currency_hold", "SELECT code FROM currency_rates ORDER BY code");
constexpr Query currency_put{"currency_put",
                             "INSERT INTO currency_rates (code, rate_micros, is_base, last_updated) VALUES ($1, $2, $3, $4)"
                             " ON CONFLICT (code) DO UPDATE SET rate_micros = excluded.rate_micros, is_base = excluded.is_base,"
                             " last_updated = excluded.last_updated"};
constexpr Query currency_clear_base{"currency_clear_base", "UPDATE currency_rates SET is_base = FALSE WHERE is_base"};
constexpr Query variants_priced{"variants_priced", "SELECT count(*) FROM (SELECT 1 FROM variants WHERE price > 0 LIMIT 1) one"};

#define PROMOTION_COLUMNS                                                                                            \
  "id, title, subtitle, tagline, cta_text, cta_link, image_url, product_image_url, expires_at, is_active, display_order," \
  " created_at, updated_at"
constexpr Query promotion_insert{"promotion_insert",
                                 "INSERT INTO promotions (" PROMOTION_COLUMNS ")"
                                 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};
constexpr Query promotion_update{"promotion_update",
                                 "UPDATE promotions SET title = $2, subtitle = $3, tagline = $4, cta_text = $5, cta_link = $6,"
                                 " image_url = $7, product_image_url = $8, expires_at = $9, is_active = $10, display_order = $11,"
                                 " updated_at = $12 WHERE id = $1"};
constexpr Query promotion_place{"promotion_place", "UPDATE promotions SET display_order = $2, updated_at = $3 WHERE id = $1"};
constexpr Query promotion_delete{"promotion_delete", "DELETE FROM promotions WHERE id = $1"};
constexpr Query promotion_find{"promotion_find", "SELECT " PROMOTION_COLUMNS " FROM promotions WHERE id = $1"};
constexpr Query promotion_hold = FOR_CHANGE("promotion_hold", "SELECT " PROMOTION_COLUMNS " FROM promotions WHERE id = $1");
constexpr Query promotion_all{"promotion_all", "SELECT " PROMOTION_COLUMNS " FROM promotions ORDER BY display_order, created_at, id"};

std::string name_key(const ProductRow& row, std::string_view language) { return fold(localised(row.name, language)); }

std::string search_text(const ProductRow& row) {
  std::string text = fold(row.sku);
  for (const auto& [language, name] : row.name) (text += '\n') += fold(name);
  for (const auto& [language, description] : row.description) (text += '\n') += fold(description);
  return text;
}

// Composes the conditions of a list; values become parameters.
class Conditions {
 public:
  std::string parameter(Value value) {
    params_.push_back(std::move(value));
    return fmt::format("${}", params_.size());
  }
  void add(std::string_view condition) { (where_ += " AND ") += condition; }

  const std::string& text() const { return where_; }
  const Params& params() const { return params_; }

 private:
  std::string where_ = " WHERE TRUE";
  Params params_;
};

std::string like_pattern(std::string_view word) {
  std::string pattern = "%";
  for (char c : word) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern += '%';
}

// Price, stock and attributes must hold for one and the same variant.
std::string variant_condition(Conditions& conditions, const ProductQuery& query) {
  std::string inner;
  if (query.minPrice) inner += " AND v.price >= " + conditions.parameter(query.minPrice->minor);
  if (query.maxPrice) inner += " AND v.price <= " + conditions.parameter(query.maxPrice->minor);
  if (query.inStock.value_or(false)) inner += " AND v.stock_quantity > 0";
  for (const auto& [name, values] : query.attributes.wanted) {
    inner += " AND EXISTS (SELECT 1 FROM variant_attributes a WHERE a.variant_id = v.id AND a.name = " + conditions.parameter(name) +
             " AND a.value IN (";
    for (bool first = true; const auto& value : values) {
      if (!std::exchange(first, false)) inner += ", ";
      inner += conditions.parameter(value);
    }
    inner += "))";
  }
  return inner;
}

Conditions conditions_of(const ProductQuery& query, bool staff) {
  Conditions conditions;
  if (!staff) conditions.add(query.isActive.value_or(true) ? "p.is_active" : "FALSE");
  else if (query.isActive) conditions.add("p.is_active = " + conditions.parameter(*query.isActive));
  if (query.categorySlug && !query.categorySlug->value.empty()) {
    const auto slug = conditions.parameter(query.categorySlug->value);
    conditions.add("EXISTS (SELECT 1 FROM product_categories l JOIN categories c ON c.id = l.category_id"
                   " LEFT JOIN categories m ON m.id = c.parent_id WHERE l.product_id = p.id AND (c.slug = " +
                   slug + " OR m.slug = " + slug + "))");
  }
  if (query.q) {
    const std::string folded = fold(query.q->value);
    for (std::string_view rest = folded; !trimmed(rest).empty();) {
      rest = trimmed(rest);
      const auto word = rest.substr(0, rest.find_first_of(" \t\r\n"));
      rest.remove_prefix(word.size());
      conditions.add("p.search_text LIKE " + conditions.parameter(like_pattern(word)) + " ESCAPE '\\'");
    }
  }
  if (const auto inner = variant_condition(conditions, query); !inner.empty()) {
    conditions.add("EXISTS (SELECT 1 FROM variants v WHERE v.product_id = p.id" + inner + ")");
  }
  return conditions;
}

std::string_view order_expression(ProductSort sort, std::string_view language) {
  switch (sort) {
    case ProductSort::createdAt: return "p.created_at";
    case ProductSort::updatedAt: return "p.updated_at";
    case ProductSort::sku: return "p.sku";
    case ProductSort::averageRating: return "p.rating_hundredths";
    case ProductSort::reviewCount: return "p.review_count";
    case ProductSort::price: return "COALESCE((SELECT MIN(v.price) FROM variants v WHERE v.product_id = p.id), 0)";
    case ProductSort::name: return language == "fr" ? "p.name_fr" : language == "ar" ? "p.name_ar" : "p.name_en";
  }
  return "p.created_at";
}

Task<Result<void>> write_attributes(Transaction& tx, const VariantRow& row) {
  CO_CHECK(co_await perform(tx, attributes_clear, row.id));
  std::vector<Params> sets;
  for (const auto& [name, value] : row.attributes) sets.push_back(codec::params_of(row.id, name, value));
  CO_CHECK(co_await tx.run_each(attribute_insert, std::move(sets)));
  co_return Result<void>();
}

Params movement_params(const Movement& m) {
  return codec::params_of(m.id, m.variantId, m.changeQuantity, m.type, m.timestamp, m.reason, m.relatedOrderId);
}

}  // namespace

const std::span<const Migration> migrations{all_migrations};

// --- products

Task<Result<void>> insert_product(Transaction& tx, const ProductRow& row) {
  return perform(tx, product_insert, row.id, row.sku, row.name, row.description, row.is_active, row.rating_hundredths,
                 row.review_count, row.version, row.created_at, row.updated_at, name_key(row, "en"), name_key(row, "fr"),
                 name_key(row, "ar"), search_text(row));
}

Task<Result<std::optional<ProductRow>>> product_for_change(Transaction& tx, const ProductId& id) {
  return select_one<ProductRow>(tx, product_hold, id);
}

Task<Result<std::optional<ProductId>>> product_by_sku(Transaction& tx, const std::string& sku) {
  return select_one<ProductId>(tx, product_find_sku, sku);
}

Task<Result<void>> update_product(Transaction& tx, const ProductRow& row) {
  return perform(tx, product_update, row.id, row.sku, row.name, row.description, row.is_active, row.updated_at, name_key(row, "en"),
                 name_key(row, "fr"), name_key(row, "ar"), search_text(row));
}

Task<Result<bool>> delete_product(Transaction& tx, const ProductId& id) {
  CO_TRY(const auto count, co_await execute(tx, product_delete, id));
  co_return count > 0;
}

Task<Result<void>> set_rating(Transaction& tx, const ProductId& id, std::int64_t hundredths, std::int64_t count, Instant now) {
  return perform(tx, product_rating, id, hundredths, count, now);
}

Task<Result<Found>> find_products(Transaction& tx, const ProductQuery& query, bool staff, const std::string& language) {
  const auto conditions = conditions_of(query, staff);
  Found found;
  const std::string count = "SELECT count(*) FROM products p" + conditions.text();
  CO_TRY(found.total, co_await number_bound(tx, Query{"product_list_count", count}, conditions.params()));
  const std::string_view direction = query.sortOrder.value_or(SortOrder::desc) == SortOrder::asc ? "ASC" : "DESC";
  const std::string page = fmt::format("SELECT p.id FROM products p{} ORDER BY {} {}, p.id {} LIMIT {} OFFSET {}", conditions.text(),
                                       order_expression(query.sortBy.value_or(ProductSort::createdAt), language), direction, direction,
                                       query.limit.value, (query.page.value - 1) * query.limit.value);
  CO_TRY(found.ids, co_await rows_of<ProductId>(tx, Query{"product_list", page}, conditions.params()));
  co_return found;
}

Task<Result<std::vector<Snapshot>>> snapshots(Transaction& tx, const std::vector<ProductId>& ids) {
  std::vector<Snapshot> all;
  if (ids.empty()) co_return all;
  CO_TRY(auto products, co_await select<ProductRow>(tx, products_in, ids));
  CO_TRY(auto variants, co_await select<VariantRow>(tx, variants_in, ids));
  CO_TRY(auto images, co_await select<Image>(tx, images_in, ids));
  CO_TRY(auto categories, co_await select<ProductCategoryRow>(tx, categories_in, ids));
  std::map<ProductId, Snapshot*> by_id;
  all.reserve(products.size());
  for (auto& row : products) {
    auto& snapshot = all.emplace_back(Snapshot{std::move(row), {}, {}, {}});
    by_id[snapshot.product.id] = &snapshot;
  }
  for (auto& row : variants) by_id.at(row.product_id)->variants.push_back(std::move(row));
  for (auto& row : images) by_id.at(row.productId)->images.push_back(std::move(row));
  for (auto& row : categories) by_id.at(row.product_id)->categories.push_back(std::move(row));
  co_return all;
}

Task<Result<std::vector<Stamp>>> stamps(Transaction& tx, const std::vector<ProductId>& ids, Change of) {
  return select<Stamp>(tx, of == Change::stock ? stamps_in : stamps_of_details_in, ids);
}

Task<Result<std::vector<ProductId>>> products_after(Transaction& tx, const std::optional<ProductId>& after, std::int64_t limit) {
  return select<ProductId>(tx, product_page, after ? after->text() : std::string(), limit);
}

Task<Result<void>> insert_image(Transaction& tx, const Image& i) {
  return perform(tx, image_insert, i.id, i.productId, i.imageUrl, i.altText, i.isPrimary, i.order, i.createdAt);
}

Task<Result<void>> clear_primary(Transaction& tx, const ProductId& product) { return perform(tx, image_clear_primary, product); }

Task<Result<std::int64_t>> next_image_position(Transaction& tx, const ProductId& product) { return number(tx, image_next, product); }

Task<Result<void>> delete_image(Transaction& tx, const ProductId& product, const ImageId& image) {
  return perform(tx, image_delete, product, image);
}

Task<Result<void>> link_category(Transaction& tx, const ProductId& product, const CategoryId& category) {
  return perform(tx, category_link, product, category);
}

Task<Result<void>> unlink_category(Transaction& tx, const ProductId& product, const CategoryId& category) {
  return perform(tx, category_unlink, product, category);
}

// --- variants and stock

Task<Result<void>> insert_variant(Transaction& tx, const VariantRow& row) {
  CO_CHECK(co_await perform(tx, variant_insert, row.id, row.product_id, row.attributes, row.price, row.cost_price, row.stock_quantity,
                            row.low_stock_threshold, row.created_at, row.updated_at));
  co_return co_await write_attributes(tx, row);
}

Task<Result<std::optional<VariantRow>>> variant(Transaction& tx, const VariantId& id) {
  return select_one<VariantRow>(tx, variant_find, id);
}

Task<Result<std::optional<VariantRow>>> variant_for_change(Transaction& tx, const VariantId& id) {
  return select_one<VariantRow>(tx, variant_hold, id);
}

Task<Result<std::vector<ProductId>>> products_of_variants(Transaction& tx, const std::vector<VariantId>& ids) {
  return select<ProductId>(tx, owners_in, ids);
}

Task<Result<std::vector<VariantRow>>> variants_of(Transaction& tx, const ProductId& product) {
  return select<VariantRow>(tx, variant_of_product, product);
}

Task<Result<void>> update_variant(Transaction& tx, const VariantRow& row) {
  CO_CHECK(co_await perform(tx, variant_update, row.id, row.attributes, row.price, row.cost_price, row.low_stock_threshold, row.updated_at));
  co_return co_await write_attributes(tx, row);
}

Task<Result<void>> delete_variant(Transaction& tx, const VariantId& id) { return perform(tx, variant_delete, id); }

Task<Result<bool>> has_later_movements(Transaction& tx, const VariantId& id) {
  CO_TRY(const auto count, co_await number(tx, later_movements, id));
  co_return count > 0;
}

Task<Result<std::optional<std::int64_t>>> change_stock(Transaction& tx, const VariantId& id, std::int64_t change, Instant now) {
  return select_one<std::int64_t>(tx, stock_change, id, change, now);
}

Task<Result<bool>> insert_movement(Transaction& tx, const Movement& movement) {
  CO_TRY(const auto count, co_await execute_bound(tx, movement_insert, movement_params(movement)));
  co_return count > 0;
}

Task<Result<std::optional<Movement>>> order_movement(Transaction& tx, const std::string& order, const VariantId& id, MovementType type) {
  return select_one<Movement>(tx, movement_of_order, order, id, type);
}

Task<Result<std::vector<Movement>>> movements(Transaction& tx, const VariantId& id) { return select<Movement>(tx, movement_list, id); }

// --- reservations

Task<Result<bool>> insert_reservation(Transaction& tx, const OrderId& order, ReservationStatus status, Instant expires, Instant now) {
  CO_TRY(const auto count, co_await execute(tx, reservation_insert, order, status, expires, now));
  co_return count > 0;
}

Task<Result<void>> hold(Transaction& tx, const std::vector<OrderId>& orders, Instant expires, Instant now) {
  std::vector<Params> sets;
  for (const auto& order : orders) sets.push_back(codec::params_of(order, ReservationStatus::HELD, expires, now));
  return tx.later(reservation_hold, std::move(sets));
}

Task<Result<void>> drop_reservations(Transaction& tx, const std::vector<OrderId>& orders) {
  std::vector<Params> sets;
  for (const auto& order : orders) sets.push_back(codec::params_of(order));
  return tx.later(reservation_drop, std::move(sets));
}

Task<Result<std::optional<ReservationStatus>>> reservation(Transaction& tx, const OrderId& order) {
  return select_one<ReservationStatus>(tx, reservation_find, order);
}

Task<Result<std::vector<ReservationLine>>> reservation_lines(Transaction& tx, const OrderId& order) {
  return select<ReservationLine>(tx, reservation_line_list, order);
}

Task<Result<void>> insert_lines(Transaction& tx, const std::vector<std::pair<OrderId, ReservationLine>>& lines) {
  std::vector<Params> sets;
  for (const auto& [order, l] : lines) sets.push_back(codec::params_of(order, l.variant_id, l.product_id, l.quantity, l.price, l.cost_price));
  CO_CHECK(co_await tx.later(reservation_line_insert, std::move(sets)));
  co_return Result<void>();
}

Task<Result<bool>> set_reservation(Transaction& tx, const OrderId& order, ReservationStatus from, ReservationStatus to) {
  CO_TRY(const auto count, co_await execute(tx, reservation_set, order, from, to));
  co_return count > 0;
}

Task<Result<void>> confirm_reservations(Transaction& tx, const std::vector<OrderId>& orders) {
  std::vector<Params> sets;
  for (const auto& order : orders) sets.push_back(codec::params_of(order, ReservationStatus::HELD, ReservationStatus::CONFIRMED));
  if (!sets.empty()) CO_CHECK(co_await tx.later(reservation_set, std::move(sets)));
  co_return Result<void>();
}

Task<Result<std::vector<OrderId>>> expired_reservations(Transaction& tx, Instant now, std::int64_t limit) {
  return select<OrderId>(tx, reservation_expired, now, limit);
}

Task<Result<std::vector<StockRow>>> hold_stock(Transaction& tx, const std::vector<VariantId>& variants) {
  return select<StockRow>(tx, stock_hold, variants);
}

Task<Result<void>> take_stock(Transaction& tx, const std::vector<Take>& takes, Instant now) {
  std::vector<Params> sets;
  for (const auto& take : takes) sets.push_back(codec::params_of(take.variant_id, take.quantity, now));
  return tx.later(stock_take, std::move(sets));
}

Task<Result<void>> insert_movements(Transaction& tx, const std::vector<Movement>& movements) {
  std::vector<Params> sets;
  for (const auto& movement : movements) sets.push_back(movement_params(movement));
  CO_CHECK(co_await tx.later(movement_insert, std::move(sets)));
  co_return Result<void>();
}

// --- what is still to be published

Task<Result<void>> mark_changed(Transaction& tx, const std::vector<ProductId>& products, Change change) {
  std::vector<Params> sets;
  const bool stock_only = change == Change::stock;
  for (const auto& product : products) sets.push_back(codec::params_of(product, tx.context().trace.traceparent(), stock_only));
  CO_CHECK(co_await tx.later(changed_insert, std::move(sets)));
  co_return Result<void>();
}

Task<Result<void>> mark_category_changed(Transaction& tx, const CategoryId& category) {
  return perform(tx, changed_category, category, tx.context().trace.traceparent());
}

Task<Result<std::int64_t>> mark_all_changed(Transaction& tx) {
  return execute(tx, changed_all, tx.context().trace.traceparent());
}

Task<Result<Marks>> marks(Transaction& tx) {
  CO_TRY(const auto found, co_await select_one<Marks>(tx, changed_marks));
  co_return found.value_or(Marks{});
}

Task<Result<std::vector<Changed>>> take_changed(Transaction& tx, std::int64_t limit) { return select<Changed>(tx, changed_take, limit); }

Task<Result<void>> forget_changed(Transaction& tx, const std::vector<Changed>& rows) {
  std::vector<Params> sets;
  for (const auto& row : rows) sets.push_back(codec::params_of(row.seq));
  CO_CHECK(co_await tx.later(changed_delete, std::move(sets)));
  co_return Result<void>();
}

Task<Result<void>> count_change(Transaction& tx) {
  const auto slot = static_cast<std::int64_t>(std::hash<std::string>()(tx.context().request_id) % change_slots);
  return perform_later(tx, changes_count_up, slot);
}

Task<Result<std::int64_t>> changes(Transaction& tx) { return number(tx, changes_sum); }

Task<Result<std::map<ProductId, std::int64_t>>> next_versions(Transaction& tx, const std::map<ProductId, Change>& changes) {
  std::vector<Params> sets;
  for (const auto& [product, change] : changes) sets.push_back(codec::params_of(product, std::int64_t{change == Change::details}));
  CO_TRY(const auto answers, co_await tx.run_each(version_next, std::move(sets)));
  std::map<ProductId, std::int64_t> versions;
  for (auto answer = answers.begin(); const auto& [product, change] : changes) {
    CO_TRY(versions[product], codec::from_row<std::int64_t>(answer->row(0)));
    ++answer;
  }
  co_return versions;
}

Task<Result<std::int64_t>> version(Transaction& tx, const ProductId& product) { return number(tx, version_find, product); }

// --- categories

Task<Result<void>> insert_category(Transaction& tx, const CategoryRowWithCounts& row) {
  return perform(tx, category_insert, row.id, row.slug, row.name, row.parent_id, row.image_url, row.version, row.created_at, row.updated_at);
}

Task<Result<void>> update_category(Transaction& tx, const CategoryRowWithCounts& row) {
  return perform(tx, category_update, row.id, row.slug, row.name, row.parent_id, row.image_url, row.updated_at);
}

Task<Result<void>> delete_category(Transaction& tx, const CategoryId& id) { return perform(tx, category_delete, id); }

Task<Result<std::optional<CategoryRowWithCounts>>> category(Transaction& tx, const CategoryId& id) {
  return select_one<CategoryRowWithCounts>(tx, category_find, id);
}

Task<Result<std::optional<CategoryRowWithCounts>>> category_by_slug(Transaction& tx, const std::string& slug) {
  return select_one<CategoryRowWithCounts>(tx, category_find_slug, slug);
}

Task<Result<std::vector<CategoryRowWithCounts>>> categories(Transaction& tx) { return select<CategoryRowWithCounts>(tx, category_all); }

Task<Result<void>> hold_categories(Transaction& tx, std::vector<CategoryId> ids) {
  std::ranges::sort(ids);
  std::vector<Params> sets;
  for (const auto& id : ids) sets.push_back(codec::params_of(id));
  CO_CHECK(co_await tx.run_each(category_hold, std::move(sets)));
  co_return Result<void>();
}

Task<Result<std::vector<CategoryRowWithCounts>>> children_of(Transaction& tx, const CategoryId& id) {
  return select<CategoryRowWithCounts>(tx, category_children, id);
}

// --- currencies

Task<Result<std::vector<CurrencyRow>>> currencies(Transaction& tx) { return select<CurrencyRow>(tx, currency_all); }

Task<Result<void>> hold_currencies(Transaction& tx) { return perform(tx, currency_hold); }

Task<Result<void>> put_currency(Transaction& tx, const CurrencyRow& row) {
  return perform(tx, currency_put, row.code, row.rateVsBase, row.isBase, row.lastUpdated);
}

Task<Result<void>> clear_base(Transaction& tx) { return perform(tx, currency_clear_base); }

Task<Result<bool>> priced_variants_exist(Transaction& tx) {
  CO_TRY(const auto count, co_await number(tx, variants_priced));
  co_return count > 0;
}

// --- promotions

Task<Result<void>> insert_promotion(Transaction& tx, const Promotion& p) {
  return perform(tx, promotion_insert, p.id, p.title, p.subtitle, p.tagline, p.ctaText, p.ctaLink, p.imageUrl, p.productImageUrl,
                 p.expiresAt, p.isActive, p.displayOrder, p.createdAt, p.updatedAt);
}

Task<Result<void>> update_promotion(Transaction& tx, const Promotion& p) {
  return perform(tx, promotion_update, p.id, p.title, p.subtitle, p.tagline, p.ctaText, p.ctaLink, p.imageUrl, p.productImageUrl,
                 p.expiresAt, p.isActive, p.displayOrder, p.updatedAt);
}

Task<Result<bool>> place_promotions(Transaction& tx, const std::map<PromotionId, std::int64_t>& places, Instant now) {
  std::vector<Params> sets;
  for (const auto& [id, place] : places) sets.push_back(codec::params_of(id, place, now));
  CO_TRY(const auto answers, co_await tx.run_each(promotion_place, std::move(sets)));
  co_return std::ranges::all_of(answers, [](const Rows& rows) { return rows.affected == 1; });
}

Task<Result<bool>> delete_promotion(Transaction& tx, const PromotionId& id) {
  CO_TRY(const auto count, co_await execute(tx, promotion_delete, id));
  co_return count > 0;
}

Task<Result<std::optional<Promotion>>> promotion(Transaction& tx, const PromotionId& id) {
  return select_one<Promotion>(tx, promotion_find, id);
}

Task<Result<std::optional<Promotion>>> promotion_for_change(Transaction& tx, const PromotionId& id) {
  return select_one<Promotion>(tx, promotion_hold, id);
}

Task<Result<std::vector<Promotion>>> promotions(Transaction& tx) { return select<Promotion>(tx, promotion_all); }

}  // namespace shop::product::store

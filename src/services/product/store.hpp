// The only SQL of product-service.
//
// Rows are taken for change (ports/database.hpp) in this order: a product, then categories; variants, promotions and currencies stand
// alone; several of one kind in the order of ids.
#pragma once

#include "ports/database.hpp"
#include "runtime/migrations.hpp"
#include "services/product/domain.hpp"

namespace shop::product::store {

extern const std::span<const Migration> migrations;

// --- products
Task<Result<void>> insert_product(Transaction& tx, const ProductRow& row);  // conflict UNIQUE: the SKU is taken
Task<Result<std::optional<ProductRow>>> product_for_change(Transaction& tx, const ProductId& id);  // and of its pictures, variants, categories
Task<Result<std::optional<ProductId>>> product_by_sku(Transaction& tx, const std::string& sku);
Task<Result<void>> update_product(Transaction& tx, const ProductRow& row);  // read for change; all but the rating
Task<Result<bool>> delete_product(Transaction& tx, const ProductId& id);  // with everything but its history
Task<Result<void>> set_rating(Transaction& tx, const ProductId& id, std::int64_t hundredths, std::int64_t count, Instant now);

struct Found {
  std::int64_t total = 0;
  std::vector<ProductId> ids;  // of the page, in order
};
// Prices in the query are in the base currency. `staff` sees inactive products.
Task<Result<Found>> find_products(Transaction& tx, const ProductQuery& query, bool staff, const std::string& language);

// Missing ones are left out; in no particular order.
Task<Result<std::vector<Snapshot>>> snapshots(Transaction& tx, const std::vector<ProductId>& ids);

enum class Change { details, stock };  // stock: nothing but it

// Differs as soon as a change of the product has committed: every change adds a mark, and the marks go when it is published, which counts up.
struct Stamp {
  ProductId product_id;
  std::optional<std::int64_t> details;  // publications of anything but stock
  std::int64_t marks = 0;
  std::optional<std::int64_t> version, all_marks;  // the same with stock, when it was asked for

  bool same_details(const Stamp& other) const { return details == other.details && marks == other.marks; }
  bool same(const Stamp& other) const { return same_details(other) && version == other.version && all_marks == other.all_marks; }
};
BOOST_DESCRIBE_STRUCT(Stamp, (), (product_id, details, marks, version, all_marks))
Task<Result<std::vector<Stamp>>> stamps(Transaction& tx, const std::vector<ProductId>& ids, Change of);
Task<Result<std::vector<ProductId>>> products_after(Transaction& tx, const std::optional<ProductId>& after, std::int64_t limit);

Task<Result<void>> insert_image(Transaction& tx, const Image& image);
Task<Result<void>> clear_primary(Transaction& tx, const ProductId& product);
Task<Result<std::int64_t>> next_image_position(Transaction& tx, const ProductId& product);
Task<Result<void>> delete_image(Transaction& tx, const ProductId& product, const ImageId& image);

Task<Result<void>> link_category(Transaction& tx, const ProductId& product, const CategoryId& category);  // again: no effect
Task<Result<void>> unlink_category(Transaction& tx, const ProductId& product, const CategoryId& category);

// --- variants and stock
Task<Result<void>> insert_variant(Transaction& tx, const VariantRow& row);
Task<Result<std::optional<VariantRow>>> variant(Transaction& tx, const VariantId& id);
Task<Result<std::optional<VariantRow>>> variant_for_change(Transaction& tx, const VariantId& id);  // orders wait
Task<Result<std::vector<ProductId>>> products_of_variants(Transaction& tx, const std::vector<VariantId>& ids);
Task<Result<std::vector<VariantRow>>> variants_of(Transaction& tx, const ProductId& product);
Task<Result<void>> update_variant(Transaction& tx, const VariantRow& row);  // read for change; all but stock
Task<Result<void>> delete_variant(Transaction& tx, const VariantId& id);
Task<Result<bool>> has_later_movements(Transaction& tx, const VariantId& id);  // other than its initial stock

// stock + change, unless that is below 0: then nothing happens and nothing is returned.
Task<Result<std::optional<std::int64_t>>> change_stock(Transaction& tx, const VariantId& id, std::int64_t change, Instant now);
Task<Result<bool>> insert_movement(Transaction& tx, const Movement& movement);  // false: this order's was there before
Task<Result<std::optional<Movement>>> order_movement(Transaction& tx, const std::string& order, const VariantId& id, MovementType type);
Task<Result<std::vector<Movement>>> movements(Transaction& tx, const VariantId& id);  // newest first, at most 1 000

// --- reservations
enum class ReservationStatus { HELD, CONFIRMED, RELEASED };
BOOST_DESCRIBE_ENUM(ReservationStatus, HELD, CONFIRMED, RELEASED)

struct ReservationLine {
  VariantId variant_id;
  ProductId product_id;
  std::int64_t quantity = 0;
  Price price;
  std::optional<Price> cost_price;
};
BOOST_DESCRIBE_STRUCT(ReservationLine, (), (variant_id, product_id, quantity, price, cost_price))

// False: there is one for the order already.
Task<Result<bool>> insert_reservation(Transaction& tx, const OrderId& order, ReservationStatus status, Instant expires, Instant now);
Task<Result<void>> hold(Transaction& tx, const std::vector<OrderId>& orders, Instant expires, Instant now);  // conflict UNIQUE: one has a reservation
Task<Result<void>> drop_reservations(Transaction& tx, const std::vector<OrderId>& orders);  // that this transaction has inserted
Task<Result<std::optional<ReservationStatus>>> reservation(Transaction& tx, const OrderId& order);
Task<Result<std::vector<ReservationLine>>> reservation_lines(Transaction& tx, const OrderId& order);
Task<Result<void>> insert_lines(Transaction& tx, const std::vector<std::pair<OrderId, ReservationLine>>& lines);
Task<Result<bool>> set_reservation(Transaction& tx, const OrderId& order, ReservationStatus from, ReservationStatus to);
Task<Result<void>> confirm_reservations(Transaction& tx, const std::vector<OrderId>& orders);  // those that are held
Task<Result<std::vector<OrderId>>> expired_reservations(Transaction& tx, Instant now, std::int64_t limit);

struct Take {
  VariantId variant_id;
  std::int64_t quantity = 0;
};

struct StockRow {
  VariantId variant_id;
  ProductId product_id;
  Price price;
  std::optional<Price> cost_price;
  std::int64_t stock = 0;
  bool is_active = true;  // the product
};
BOOST_DESCRIBE_STRUCT(StockRow, (), (variant_id, product_id, price, cost_price, stock, is_active))

Task<Result<std::vector<StockRow>>> hold_stock(Transaction& tx, const std::vector<VariantId>& variants);  // in the order of ids; unknown ones lack
Task<Result<void>> take_stock(Transaction& tx, const std::vector<Take>& takes, Instant now);               // of held rows, no more than there is
Task<Result<void>> insert_movements(Transaction& tx, const std::vector<Movement>& movements);

// --- what is still to be published
Task<Result<void>> mark_changed(Transaction& tx, const std::vector<ProductId>& products, Change change);
Task<Result<void>> mark_category_changed(Transaction& tx, const CategoryId& category);  // its products and its children's
Task<Result<std::int64_t>> mark_all_changed(Transaction& tx);

// Of anything in the catalogue but stock: a transaction that makes some counts one, as the last thing it does. Whoever sees the same number
// of changes as before sees the same lists.
Task<Result<void>> count_change(Transaction& tx);
Task<Result<std::int64_t>> changes(Transaction& tx);

struct Changed {
  std::int64_t seq = 0;
  ProductId product_id;
  std::string traceparent;  // of the change
  bool stock_only = false;
};
BOOST_DESCRIBE_STRUCT(Changed, (), (seq, product_id, traceparent, stock_only))
struct Marks {
  bool any = false, details = false;
};
BOOST_DESCRIBE_STRUCT(Marks, (), (any, details))
Task<Result<Marks>> marks(Transaction& tx);
Task<Result<std::vector<Changed>>> take_changed(Transaction& tx, std::int64_t limit);  // the oldest that nobody else is publishing
Task<Result<void>> forget_changed(Transaction& tx, const std::vector<Changed>& rows);
Task<Result<std::map<ProductId, std::int64_t>>> next_versions(Transaction& tx, const std::map<ProductId, Change>& changes);
Task<Result<std::int64_t>> version(Transaction& tx, const ProductId& product);  // the last published; 0: never

// --- categories
Task<Result<void>> hold_categories(Transaction& tx, std::vector<CategoryId> ids);  // for change: their rows, products and children are read next
Task<Result<void>> insert_category(Transaction& tx, const CategoryRowWithCounts& row);  // conflict UNIQUE: the slug is taken
Task<Result<void>> update_category(Transaction& tx, const CategoryRowWithCounts& row);  // held
Task<Result<void>> delete_category(Transaction& tx, const CategoryId& id);  // conflict FOREIGN_KEY: children or products
Task<Result<std::optional<CategoryRowWithCounts>>> category(Transaction& tx, const CategoryId& id);
Task<Result<std::optional<CategoryRowWithCounts>>> category_by_slug(Transaction& tx, const std::string& slug);
Task<Result<std::vector<CategoryRowWithCounts>>> categories(Transaction& tx);
Task<Result<std::vector<CategoryRowWithCounts>>> children_of(Transaction& tx, const CategoryId& id);

// --- currencies
Task<Result<std::vector<CurrencyRow>>> currencies(Transaction& tx);
Task<Result<void>> hold_currencies(Transaction& tx);  // all, for change: which of them is the base is read next
Task<Result<void>> put_currency(Transaction& tx, const CurrencyRow& row);
Task<Result<void>> clear_base(Transaction& tx);
Task<Result<bool>> priced_variants_exist(Transaction& tx);

// --- promotions
Task<Result<void>> insert_promotion(Transaction& tx, const Promotion& promotion);
Task<Result<void>> update_promotion(Transaction& tx, const Promotion& promotion);  // read for change
// Their display order alone; false: one of them does not exist.
Task<Result<bool>> place_promotions(Transaction& tx, const std::map<PromotionId, std::int64_t>& places, Instant now);
Task<Result<bool>> delete_promotion(Transaction& tx, const PromotionId& id);
Task<Result<std::optional<Promotion>>> promotion(Transaction& tx, const PromotionId& id);
Task<Result<std::optional<Promotion>>> promotion_for_change(Transaction& tx, const PromotionId& id);
Task<Result<std::vector<Promotion>>> promotions(Transaction& tx);  // by display order

}  // namespace shop::product::store

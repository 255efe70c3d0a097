// Use cases of the catalogue and its stock (seed 4.3). One class a subject; all share the store, the read model and the outbox.
#pragma once

#include "runtime/batcher.hpp"
#include "runtime/consumer.hpp"
#include "runtime/idempotency.hpp"
#include "runtime/outbox.hpp"
#include "services/product/catalogue.hpp"
#include "services/product/clients.hpp"

namespace shop::product {

// What every use case works with.
struct Tools {
  Database& database;
  Catalogue& catalogue;
  Outbox& outbox;
  Clock& clock;
  Random& random;
  Loop& publisher;  // turns changed products into events
};

// In a transaction that changed the products: they will be published, and the read model forgets them after the commit.
Task<Result<void>> announce(const Tools& tools, Transaction& tx, const std::vector<ProductId>& products);  // the last thing in a transaction
Task<Result<void>> announce_stock(const Tools& tools, Transaction& tx, const std::vector<ProductId>& products);

struct BaseView {
  std::string language;
  std::optional<Currency> currency;  // nothing: base
  bool staff = false;
};

class ProductService {
 public:
  explicit ProductService(Tools tools) : tools_(tools) {}

  Task<Result<View>> view(const Context& context, const BaseView& wanted);  // invalid: unknown currency

  Task<Result<std::string>> list(const Context& context, ProductQuery query, std::string_view raw_query, const View& view);  // a ProductPage
  Task<Result<DetailProduct>> detail(const Context& context, const ProductId& id, const View& view);
  Task<Result<DetailProduct>> detail_by_sku(const Context& context, const std::string& sku, const View& view);
  Task<Result<DetailProduct>> create(const Context& context, const NewProduct& request, const View& view);
  Task<Result<BareProduct>> update(const Context& context, const ProductId& id, const UpdateProduct& change);
  Task<Result<void>> remove(const Context& context, const ProductId& id);

  Task<Result<void>> add_categories(const Context& context, const ProductId& id, const CategoryIds& request);
  Task<Result<void>> remove_categories(const Context& context, const ProductId& id, const CategoryIdsToRemove& request);
  Task<Result<void>> add_images(const Context& context, const ProductId& id, const std::vector<NewImage>& request);
  Task<Result<void>> remove_images(const Context& context, const ProductId& id, const ImageIds& request);

  Task<Result<std::vector<Variant>>> variants(const Context& context, const ProductId& id, const View& view);
  Task<Result<Variant>> variant(const Context& context, const VariantId& id, const View& view);
  Task<Result<Variant>> add_variant(const Context& context, const ProductId& id, const NewStandaloneVariant& request, const View& view);
  Task<Result<Variant>> update_variant(const Context& context, const VariantId& id, const UpdateVariant& change, const View& view);
  Task<Result<void>> remove_variant(const Context& context, const VariantId& id);
  Task<Result<std::map<std::string, VariantDetails>>> variant_details(const Context& context, const VariantIds& request);

  Task<Result<std::int64_t>> resync(const Context& context);
  Task<Result<DocumentPage>> documents(const Context& context, const DocumentQuery& query);

 private:
  Task<Result<ProductId>> create_in(Transaction& tx, const NewProduct& request);
  Task<Result<VariantRow>> create_variant_in(Transaction& tx, const ProductId& product, const NewVariant& request, Instant at);
  Task<Result<BareProduct>> update_in(Transaction& tx, const ProductId& id, const UpdateProduct& change);
  Task<Result<void>> remove_in(Transaction& tx, const ProductId& id);
  Task<Result<void>> add_categories_in(Transaction& tx, const ProductId& id, const CategoryIds& request);
  Task<Result<void>> remove_categories_in(Transaction& tx, const ProductId& id, const CategoryIdsToRemove& request);
  Task<Result<void>> add_images_in(Transaction& tx, const ProductId& id, const std::vector<NewImage>& request);
  Task<Result<void>> remove_images_in(Transaction& tx, const ProductId& id, const ImageIds& request);
  Task<Result<VariantRow>> add_variant_in(Transaction& tx, const ProductId& id, const NewVariant& request);
  Task<Result<VariantRow>> update_variant_in(Transaction& tx, const VariantId& id, const UpdateVariant& change);
  Task<Result<void>> remove_variant_in(Transaction& tx, const VariantId& id);
  Task<Result<SnapshotPtr>> visible(const Context& context, const ProductId& id, const View& view);

  const Tools tools_;
};

class CategoryService {
 public:
  explicit CategoryService(Tools tools) : tools_(tools) {}

  Task<Result<std::vector<Category>>> list(const Context& context, const std::string& language);  // by name
  Task<Result<CategoryDetail>> by_id(const Context& context, const CategoryId& id, const std::string& language);
  Task<Result<CategoryDetail>> by_slug(const Context& context, const std::string& slug, const std::string& language);
  Task<Result<CategoryRow>> create(const Context& context, const NewCategory& request);
  Task<Result<CategoryRow>> update(const Context& context, const CategoryId& id, const UpdateCategory& change);
  Task<Result<void>> remove(const Context& context, const CategoryId& id);

 private:
  Task<Result<CategoryRow>> create_in(Transaction& tx, const NewCategory& request);
  Task<Result<CategoryRow>> update_in(Transaction& tx, const CategoryId& id, const UpdateCategory& change);
  Task<Result<void>> remove_in(Transaction& tx, const CategoryId& id);

  const Tools tools_;
};

// Stock: a conditional change and its movement in one transaction; an order's lines all or nothing, once (architecture, 5). Orders that
// come at once are reserved for in one transaction, in the order of their ids, each of what those before it have left.
class StockService {
 public:
  struct Settings {
    milliseconds reservation_lifetime{15'000};  // until the sweeper asks what became of the order
  };

  StockService(Tools tools, Settings settings, OrderPeer orders);

  Task<Result<AdjustAnswer>> adjust(const Context& context, const VariantId& id, const AdjustStock& request,
                                    const std::optional<IdempotencyKey>& key);
  Task<Result<std::vector<Movement>>> history(const Context& context, const VariantId& id);

  Task<Result<ReserveAnswer>> reserve(const Context& context, const ReserveRequest& request);
  Task<Result<ReleaseAnswer>> release(const Context& context, const OrderId& order, const std::string& reason);
  Task<Result<void>> confirm(const Context& context, const std::vector<OrderId>& orders);

  // Reservations past their expiry: order-service says, once and for all, which of the orders exist. Many in one step: after a
  // crash or an overload there may be thousands.
  Task<Result<bool>> sweep(const Context& context);

  void abandon() { reservations_.abandon(); }

 private:
  using Lines = std::vector<store::ReservationLine>;
  struct Wanted {
    OrderId order;
    std::vector<store::Take> takes;  // one a variant
  };
  using Reservations = Batcher<Wanted, std::vector<QuoteLine>>;
  using Wishes = std::map<OrderId, const std::vector<store::Take>*>;
  using Reserved = std::map<OrderId, Result<Lines>>;

  Task<Result<AdjustAnswer>> adjust_in(Transaction& tx, const VariantId& id, const AdjustStock& request,
                                       const std::optional<IdempotencyKey>& key);
  Task<Result<Reservations::Answers>> reserve_all(const Context& context, const Reservations::Items& items);
  Task<Result<Reserved>> reserve_once(const Context& context, const Wishes& wishes);
  Task<Result<void>> reserve_in(Transaction& tx, const Wishes& wishes, Reserved& reserved);
  Task<Result<void>> release_in(Transaction& tx, const OrderId& order, const std::string& reason);
  Task<Result<void>> settle(const Context& context, const std::vector<OrderId>& orders);

  const Tools tools_;
  const Settings settings_;
  const OrderPeer orders_;
  Reservations reservations_;
};

class CurrencyService {
 public:
  explicit CurrencyService(Tools tools) : tools_(tools) {}

  Task<Result<void>> prepare(const Context& context);  // a shop without currencies starts with USD as its base
  Task<Result<std::vector<CurrencyRow>>> list(const Context& context);
  Task<Result<CurrencyRow>> rate(const Context& context, const Currency& code);
  Task<Result<CurrencyRow>> set(const Context& context, const SetCurrency& request);

 private:
  Task<Result<CurrencyRow>> set_in(Transaction& tx, const SetCurrency& request);
  const Tools tools_;
};

class PromotionService {
 public:
  explicit PromotionService(Tools tools) : tools_(tools) {}

  Task<Result<std::vector<ShownPromotion>>> current(const Context& context, const std::string& language);
  Task<Result<std::vector<Promotion>>> all(const Context& context);
  Task<Result<Promotion>> one(const Context& context, const PromotionId& id);
  Task<Result<Promotion>> create(const Context& context, const NewPromotion& request);
  Task<Result<Promotion>> update(const Context& context, const PromotionId& id, const UpdatePromotion& change);
  Task<Result<void>> reorder(const Context& context, const Reorder& request);
  Task<Result<void>> remove(const Context& context, const PromotionId& id);

 private:
  const Tools tools_;
};

// Turns changed products into events that carry the present state; many changes of one product become one event. The read
// model forgets what is published: a change whose commit was not answered is in the store all the same.
//
// Changes of anything but stock are published at once by the instance that made them. Those of stock, which orders make by the
// hundred, are gathered for a second, so that one event tells of many, and by one instance (a lease), or there would be as many events as instances.
class Publisher {
 public:
  static constexpr milliseconds gather{1000};

  Publisher(Database& database, Catalogue& catalogue, Outbox& outbox, Clock& clock, Random& random);

  Loop& loop() { return loop_; }

 private:
  Task<Result<bool>> step(const Context& context);
  Task<Result<bool>> publish_in(Transaction& tx);

  Database& database_;
  Catalogue& catalogue_;
  Outbox& outbox_;
  Clock& clock_;
  Lease lease_;  // of who gathers
  Monotonic gathering_until_{};
  Loop loop_;
};

}  // namespace shop::product

#include <algorithm>

#include "services/product/service.hpp"
#include "services/product/store_audit.hpp"

namespace shop::product {
namespace {

constexpr std::size_t max_variants = 200, max_images = 50, max_categories = 50, max_details = 500;

Failure no_product() { return fail(Code::not_found, "Product not found."); }
Failure no_variant() { return fail(Code::not_found, "Variant not found."); }
Failure sku_taken() { return fail(Code::conflict, "A product with this SKU already exists.", "SKU_TAKEN"); }

bool taken(const Error& error) { return error.code == Code::conflict && error.name == "UNIQUE"; }

NewVariant as_new_variant(const NewStandaloneVariant& v) {
  return {v.attributes, v.price, v.costPrice, v.initialStockQuantity, v.lowStockThreshold};
}

std::optional<std::int64_t> as_number(const std::optional<Stock>& stock) {
  return stock ? std::optional(stock->value) : std::nullopt;
}

template <class T>
void check_count(std::vector<Fault>& faults, const std::optional<std::vector<T>>& list, std::size_t most, std::string name) {
  if (list && list->size() > most) faults.push_back({std::move(name), fmt::format("has more than {} entries", most)});
}

// Only the last picture that says it is primary remains so.
Task<Result<void>> insert_images(Transaction& tx, const Tools& tools, const ProductId& product, const std::vector<NewImage>& images) {
  const auto now = tools.clock.wall();
  CO_TRY(auto position, co_await store::next_image_position(tx, product));
  for (const auto& image : images) {
    const bool primary = image.isPrimary.value_or(false);
    if (primary) CO_CHECK(co_await store::clear_primary(tx, product));
    const Image row{tools.random.id<ImageId>(now), product, image.imageUrl.value,
                    image.altText ? std::optional(image.altText->value) : std::nullopt, primary,
                    image.order ? image.order->value : position, now};
    CO_CHECK(co_await store::insert_image(tx, row));
    position = std::max(position, row.order) + 1;
  }
  co_return Result<void>();
}

// Every category must exist and have none below it.
Task<Result<void>> link_categories(Transaction& tx, const ProductId& product, const std::vector<CategoryId>& ids, Code unknown) {
  std::vector<Fault> faults;
  CO_CHECK(co_await store::hold_categories(tx, ids));  // one of them may be getting a child
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CO_TRY(const auto category, co_await store::category(tx, ids[i]));
    if (!category) {
      faults.push_back({fmt::format("categoryIds[{}]", i), "names no category"});
    } else if (category->child_count > 0) {
      co_return fail(Error{Code::conflict, fmt::format("The category {} has subcategories: products belong to its leaves.", category->slug),
                           "NOT_A_LEAF", {{fmt::format("categoryIds[{}]", i), "has subcategories"}}, {}, {}});
    } else {
      CO_CHECK(co_await store::link_category(tx, product, ids[i]));
    }
  }
  if (faults.empty()) co_return Result<void>();
  auto error = codec::faulty(std::move(faults));
  error.code = unknown;
  co_return fail(std::move(error));
}

}  // namespace

Task<Result<void>> announce(const Tools& tools, Transaction& tx, const std::vector<ProductId>& products) {
  CO_CHECK(co_await store::mark_changed(tx, products, store::Change::details));
  CO_CHECK(co_await store::count_change(tx));
  tx.on_commit([tools, products] {
    for (const auto& id : products) tools.catalogue.product_changed(id);
    tools.publisher.wake();
  });
  co_return Result<void>();
}

Task<Result<void>> announce_stock(const Tools& tools, Transaction& tx, const std::vector<ProductId>& products) {
  CO_CHECK(co_await store::mark_changed(tx, products, store::Change::stock));
  tx.on_commit([tools, products] {
    for (const auto& id : products) tools.catalogue.stock_changed(id);
  });
  co_return Result<void>();
}

// --- reading

Task<Result<View>> ProductService::view(const Context& context, const BaseView& wanted) {
  CO_TRY(const auto table, co_await tools_.catalogue.currencies(context));
  View view{wanted.language, table->base, table->base, Rate{}, wanted.staff};
  if (wanted.currency && *wanted.currency != table->base) {
    const auto row = table->rows.find(*wanted.currency);
    if (row == table->rows.end()) {
      co_return fail(Error{Code::invalid, fmt::format("The currency {} is not known.", wanted.currency->text()), "UNKNOWN_CURRENCY",
                           {{"X-Currency", "names no currency of this shop"}}, {}, {}});
    }
    view.currency = *wanted.currency;
    view.rate = row->second.rateVsBase;
  }
  co_return view;
}

Task<Result<std::string>> ProductService::list(const Context& context, ProductQuery query, std::string_view raw_query,
                                                 const View& view) {
  if (view.converts()) {
    if (query.minPrice) query.minPrice = base_at_least(*query.minPrice, view.rate);
    if (query.maxPrice) query.maxPrice = base_at_most(*query.maxPrice, view.rate);
  }
  const auto key = fmt::format("{}{}{} {} {}", view.staff ? '!' : '.', view.language, view.currency.text(), view.rate.micros, raw_query);
  CO_TRY(const auto found, co_await tools_.catalogue.find(context, query, view.staff, view.language, key));
  CO_TRY(const auto snapshots, co_await tools_.catalogue.products(context, found->ids));

  std::string json = R"({"data":[)";
  for (bool first = true; const auto& snapshot : snapshots) {
    if (!std::exchange(first, false)) json += ',';
    json += *tools_.catalogue.list_fragment(snapshot, view);
  }
  json += R"(],"meta":)";
  codec::write_json(json, Meta{view.currency.text()});
  json += R"(,"pagination":)";
  codec::write_json(json, codec::pagination(found->total, query.page, query.limit));
  json += '}';
  co_return json;
}

Task<Result<SnapshotPtr>> ProductService::visible(const Context& context, const ProductId& id, const View& view) {
  CO_TRY(auto snapshot, co_await tools_.catalogue.product(context, id));
  if (!snapshot->product.is_active && !view.staff) co_return no_product();
  co_return snapshot;
}

Task<Result<DetailProduct>> ProductService::detail(const Context& context, const ProductId& id, const View& view) {
  CO_TRY(const auto snapshot, co_await visible(context, id, view));
  co_return detail_product(*snapshot, view);
}

Task<Result<DetailProduct>> ProductService::detail_by_sku(const Context& context, const std::string& sku, const View& view) {
  CO_TRY(const auto id, co_await read(tools_.database, context, store::product_by_sku, sku));
  if (!id) co_return no_product();
  co_return co_await detail(context, *id, view);
}

// --- products

Task<Result<DetailProduct>> ProductService::create(const Context& context, const NewProduct& request, const View& view) {
  std::vector<Fault> faults;
  check_count(faults, request.variants, max_variants, "variants");
  check_count(faults, request.images, max_images, "images");
  check_count(faults, request.categoryIds, max_categories, "categoryIds");
  if (!faults.empty()) co_return fail(codec::faulty(std::move(faults)));
  CO_TRY(const auto id, co_await write(tools_.database, context, [&](Transaction& tx) { return create_in(tx, request); }));
  CO_TRY(const auto snapshot, co_await tools_.catalogue.product(context, id));
  co_return detail_product(*snapshot, view);
}

Task<Result<ProductId>> ProductService::create_in(Transaction& tx, const NewProduct& request) {
  const auto now = tools_.clock.wall();
  ProductRow row;
  row.id = tools_.random.id<ProductId>(now);
  row.sku = request.sku.value;
  row.name = request.name.texts;
  if (request.description) row.description = request.description->texts;
  row.is_active = request.isActive.value_or(true);
  row.created_at = row.updated_at = now;
  if (auto inserted = co_await store::insert_product(tx, row); !inserted) {
    if (taken(inserted.error())) co_return sku_taken();
    co_return Failure(std::move(inserted).error());
  }
  if (request.categoryIds) CO_CHECK(co_await link_categories(tx, row.id, *request.categoryIds, Code::invalid));
  if (request.variants) {
    for (std::size_t i = 0; i < request.variants->size(); ++i) {
      // One millisecond apart, so that variants keep the order in which they were given.
      CO_CHECK(co_await create_variant_in(tx, row.id, (*request.variants)[i], now + milliseconds(i)));
    }
  }
  if (request.images) CO_CHECK(co_await insert_images(tx, tools_, row.id, *request.images));
  const std::vector<ProductId> changed{row.id};
  CO_CHECK(co_await announce(tools_, tx, changed));
  co_return row.id;
}

Task<Result<VariantRow>> ProductService::create_variant_in(Transaction& tx, const ProductId& product, const NewVariant& request, Instant at) {
  VariantRow row;
  row.id = tools_.random.id<VariantId>(at);
  row.product_id = product;
  if (request.attributes) row.attributes = request.attributes->values;
  row.price = request.price;
  row.cost_price = request.costPrice;
  row.stock_quantity = as_number(request.initialStockQuantity).value_or(0);
  row.low_stock_threshold = as_number(request.lowStockThreshold);
  row.created_at = row.updated_at = at;
  CO_CHECK(co_await store::insert_variant(tx, row));
  if (row.stock_quantity > 0) {
    const Movement initial{tools_.random.id<MovementId>(at), row.id, row.stock_quantity, MovementType::INITIAL_STOCK, at, "Initial stock", {}};
    CO_CHECK(co_await store::insert_movement(tx, initial));
  }
  co_return row;
}

Task<Result<BareProduct>> ProductService::update(const Context& context, const ProductId& id, const UpdateProduct& change) {
  co_return co_await write(tools_.database, context, [&](Transaction& tx) { return update_in(tx, id, change); });
}

Task<Result<BareProduct>> ProductService::update_in(Transaction& tx, const ProductId& id, const UpdateProduct& change) {
  CO_TRY(auto row, co_await store::product_for_change(tx, id));
  if (!row) co_return no_product();
  if (change.sku) row->sku = change.sku->value;
  if (change.name) row->name = change.name->texts;
  if (change.description.present) row->description = change.description.value ? change.description.value->texts : Texts();
  if (change.isActive) row->is_active = *change.isActive;
  row->updated_at = tools_.clock.wall();
  if (auto updated = co_await store::update_product(tx, *row); !updated) {
    if (taken(updated.error())) co_return sku_taken();
    co_return Failure(std::move(updated).error());
  }
  const std::vector<ProductId> changed{id};
  CO_CHECK(co_await announce(tools_, tx, changed));
  co_return bare_product(*row);
}

Task<Result<void>> ProductService::remove(const Context& context, const ProductId& id) {
  co_return co_await write(tools_.database, context, [&](Transaction& tx) { return remove_in(tx, id); });
}

Task<Result<void>> ProductService::remove_in(Transaction& tx, const ProductId& id) {
  CO_TRY(const bool existed, co_await store::delete_product(tx, id));
  if (!existed) co_return no_product();
  const std::vector<ProductId> changed{id};
  co_return co_await announce(tools_, tx, changed);
}

// --- categories and images of a product

Task<Result<void>> ProductService::add_categories(const Context& context, const ProductId& id, const CategoryIds& request) {
  co_return co_await write(tools_.database, context, [&](Transaction& tx) { return add_categories_in(tx, id, request); });
}

Task<Result<void>> ProductService::add_categories_in(Transaction& tx, const ProductId& id, const CategoryIds& request) {
  if (request.categoryIds.size() > max_categories) {
    co_return fail(codec::faulty({{"categoryIds", fmt::format("has more than {} entries", max_categories)}}));
  }
  CO_TRY(const auto row, co_await store::product_for_change(tx, id));
  if (!row) co_return no_product();
  CO_CHECK(co_await link_categories(tx, id, request.categoryIds, Code::not_found));
  const std::vector<ProductId> changed{id};
  co_return co_await announce(tools_, tx, changed);
}

Task<Result<void>> ProductService::remove_categories(const Context& context, const ProductId& id, const CategoryIdsToRemove& request) {
  co_return co_await write(tools_.database, context, [&](Transaction& tx) { return remove_categories_in(tx, id, request); });
}

Task<Result<void>> ProductService::remove_categories_in(Transaction& tx, const ProductId& id, const CategoryIdsToRemove& request) {
  for (const auto& category : request.categoryIds) {
    if (category) CO_CHECK(co_await store::unlink_category(tx, id, *category));
  }
  const std::vector<ProductId> changed{id};
  co_return co_await announce(tools_, tx, changed);
}

Task<Result<void>> ProductService::add_images(const Context& context, const ProductId& id, const std::vector<NewImage>& request) {
  if (request.size() > max_images) co_return fail(codec::faulty({{"", fmt::format("has more than {} images", max_images)}}));
  co_return co_await write(tools_.database, context, [&](Transaction& tx) { return add_images_in(tx, id, request); });
}

Task<Result<void>> ProductService::add_images_in(Transaction& tx, const ProductId& id, const std::vector<NewImage>& request) {
  CO_TRY(const auto row, co_await store::product_for_change(tx, id));
  if (!row) co_return no_product();
  CO_CHECK(co_await insert_images(tx, tools_, id, request));
  const std::vector<ProductId> changed{id};
  co_return co_await announce(tools_, tx, changed);
}

Task<Result<void>> ProductService::remove_images(const Context& context, const ProductId& id, const ImageIds& request) {
  co_return co_await write(tools_.database, context, [&](Transaction& tx) { return remove_images_in(tx, id, request); });
}

Task<Result<void>> ProductService::remove_images_in(Transaction& tx, const ProductId& id, const ImageIds& request) {
  for (const auto& image : request.imageIds) CO_CHECK(co_await store::delete_image(tx, id, image));
  const std::vector<ProductId> changed{id};
  co_return co_await announce(tools_, tx, changed);
}

// --- variants

Task<Result<std::vector<Variant>>> ProductService::variants(const Context& context, const ProductId& id, const View& view) {
  CO_TRY(const auto snapshot, co_await visible(context, id, view));
  std::vector<Variant> all;
  for (const auto& row : snapshot->variants) all.push_back(variant_of(row, view));
  co_return all;
}

Task<Result<Variant>> ProductService::variant(const Context& context, const VariantId& id, const View& view) {
  CO_TRY(const auto row, co_await read(tools_.database, context, store::variant, id));
  if (!row) co_return no_variant();
  auto product = co_await visible(context, row->product_id, view);
  if (!product) co_return product.error().code == Code::not_found ? no_variant() : Failure(std::move(product).error());
  co_return variant_of(*row, view);
}

Task<Result<Variant>> ProductService::add_variant(const Context& context, const ProductId& id, const NewStandaloneVariant& request,
                                                  const View& view) {
  const auto wanted = as_new_variant(request);
  CO_TRY(const auto row, co_await write(tools_.database, context, [&](Transaction& tx) { return add_variant_in(tx, id, wanted); }));
  co_return variant_of(row, view);
}

Task<Result<VariantRow>> ProductService::add_variant_in(Transaction& tx, const ProductId& id, const NewVariant& request) {
  CO_TRY(const auto product, co_await store::product_for_change(tx, id));
  if (!product) co_return no_product();
  CO_TRY(const auto present, co_await store::variants_of(tx, id));
  if (present.size() >= max_variants) {
    co_return fail(Code::invalid, fmt::format("A product has at most {} variants.", max_variants), "TOO_MANY_VARIANTS");
  }
  CO_TRY(auto row, co_await create_variant_in(tx, id, request, tools_.clock.wall()));
  const std::vector<ProductId> changed{id};
  CO_CHECK(co_await announce(tools_, tx, changed));
  co_return row;
}

Task<Result<Variant>> ProductService::update_variant(const Context& context, const VariantId& id, const UpdateVariant& change, const View& view) {
  CO_TRY(const auto row, co_await write(tools_.database, context, [&](Transaction& tx) { return update_variant_in(tx, id, change); }));
  co_return variant_of(row, view);
}

Task<Result<VariantRow>> ProductService::update_variant_in(Transaction& tx, const VariantId& id, const UpdateVariant& change) {
  CO_TRY(auto row, co_await store::variant_for_change(tx, id));
  if (!row) co_return no_variant();
  if (change.attributes) row->attributes = change.attributes->values;
  if (change.price) row->price = *change.price;
  if (change.costPrice.present) row->cost_price = change.costPrice.value;
  if (change.lowStockThreshold.present) row->low_stock_threshold = as_number(change.lowStockThreshold.value);
  row->updated_at = tools_.clock.wall();
  CO_CHECK(co_await store::update_variant(tx, *row));
  const std::vector<ProductId> changed{row->product_id};
  CO_CHECK(co_await announce(tools_, tx, changed));
  co_return std::move(*row);
}

Task<Result<void>> ProductService::remove_variant(const Context& context, const VariantId& id) {
  co_return co_await write(tools_.database, context, [&](Transaction& tx) { return remove_variant_in(tx, id); });
}

Task<Result<void>> ProductService::remove_variant_in(Transaction& tx, const VariantId& id) {
  CO_TRY(const auto row, co_await store::variant_for_change(tx, id));  // an order may be taking from it
  if (!row) co_return no_variant();
  CO_TRY(const bool moved, co_await store::has_later_movements(tx, id));
  if (moved) co_return fail(Code::conflict, "The variant has stock movements: its history must stay.", "VARIANT_IN_USE");
  CO_CHECK(co_await store::delete_variant(tx, id));
  const std::vector<ProductId> changed{row->product_id};
  co_return co_await announce(tools_, tx, changed);
}

// --- for other services

Task<Result<std::map<std::string, VariantDetails>>> ProductService::variant_details(const Context& context, const VariantIds& request) {
  if (request.variantIds.size() > max_details) {
    co_return fail(codec::faulty({{"variantIds", fmt::format("has more than {} entries", max_details)}}));
  }
  CO_TRY(const auto table, co_await tools_.catalogue.currencies(context));
  CO_TRY(const auto owners, co_await read(tools_.database, context, store::products_of_variants, request.variantIds));
  CO_TRY(const auto snapshots, co_await tools_.catalogue.products(context, owners));
  const std::set<VariantId> wanted(request.variantIds.begin(), request.variantIds.end());
  std::map<std::string, VariantDetails> details;
  for (const auto& snapshot : snapshots) {
    for (const auto& v : snapshot->variants) {
      if (!wanted.contains(v.id)) continue;
      details[v.id.text()] = {v.price, v.cost_price, table->base, v.attributes, v.product_id, snapshot->product.name, snapshot->product.sku,
                              primary_image(snapshot->images), snapshot->product.is_active, v.stock_quantity};
    }
  }
  co_return details;
}

Task<Result<std::int64_t>> ProductService::resync(const Context& context) {
  CO_TRY(const auto count, co_await write(tools_.database, context, store::mark_all_changed));
  tools_.publisher.wake();
  co_return count;
}

Task<Result<DocumentPage>> ProductService::documents(const Context& context, const DocumentQuery& query) {
  co_return co_await read(tools_.database, context, store::documents, query);
}

// --- events

Publisher::Publisher(Database& database, Catalogue& catalogue, Outbox& outbox, Clock& clock, Random& random)
    : database_(database),
      catalogue_(catalogue),
      outbox_(outbox),
      clock_(clock),
      lease_(database, clock, random, "publisher", seconds(3)),
      loop_(clock, {.name = "product publisher", .period = milliseconds(500)}, [this](const Context& context) { return step(context); }) {}

Task<Result<bool>> Publisher::step(const Context& context) {
  CO_TRY(const auto marks, co_await read(database_, context, store::marks));
  if (!marks.any) co_return false;
  if (!marks.details) {
    if (clock_.now() < gathering_until_) co_return false;
    CO_TRY(const bool mine, co_await lease_.keep(context));
    if (!mine) co_return false;
  }
  CO_TRY(const bool more, co_await write(database_, context, [&](Transaction& tx) { return publish_in(tx); }));
  if (!more) gathering_until_ = clock_.now() + gather;
  co_return more;
}

Task<Result<bool>> Publisher::publish_in(Transaction& tx) {
  constexpr std::int64_t chunk = 1000;
  constexpr std::size_t most_products = 200;
  CO_TRY(auto rows, co_await store::take_changed(tx, chunk));
  bool more = rows.size() == static_cast<std::size_t>(chunk);
  std::map<ProductId, store::Change> changes;
  std::map<ProductId, std::string> traces;  // the first change of each
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    if (changes.size() == most_products && !changes.contains(row->product_id)) {
      rows.erase(row, rows.end());
      more = true;
      break;
    }
    auto& change = changes.try_emplace(row->product_id, store::Change::stock).first->second;
    if (!row->stock_only) change = store::Change::details;
    traces.emplace(row->product_id, row->traceparent);
  }
  CO_TRY(auto versions, co_await store::next_versions(tx, changes));
  std::vector<ProductId> ids;
  for (const auto& [id, change] : changes) ids.push_back(id);
  CO_TRY(auto snapshots, co_await store::snapshots(tx, ids));
  std::vector<Event> events;
  for (const auto& snapshot : snapshots) {
    const auto& id = snapshot.product.id;
    changes.erase(id);
    const auto version = versions[id];
    events.push_back({"product_events", id.text(), version == 1 ? "PRODUCT_CREATED" : "PRODUCT_UPDATED", version,
                      codec::to_json(document_of(snapshot)), traces[id]});
  }
  for (const auto& [id, change] : changes) {
    events.push_back({"product_events", id.text(), "PRODUCT_DELETED", versions[id], codec::to_json(DeletedEvent{id.uuid}), traces[id]});
  }
  CO_CHECK(co_await outbox_.append(tx, std::move(events)));
  CO_CHECK(co_await store::forget_changed(tx, rows));
  const auto forget = [this, ids] {
    for (const auto& id : ids) catalogue_.published(id);
  };
  forget();  // what was read has been committed, whatever becomes of this transaction
  tx.on_commit([this, marks = catalogue_.marks(snapshots), read = std::move(snapshots)]() mutable { catalogue_.adopt(std::move(read), marks); });
  co_return more;
}

}  // namespace shop::product

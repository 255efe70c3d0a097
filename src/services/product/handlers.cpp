#include "services/product/handlers.hpp"

#include "codec/base64.hpp"
#include "runtime/tokens.hpp"

namespace shop::product {
namespace {

Failure no_demo() { return fail(Code::not_found, "This shop carries no demo catalogue."); }

}  // namespace

Task<Result<View>> Handlers::view(Call& call) {
  CO_TRY(auto currency, call.currency());
  co_return co_await s_.products.view(call.context, {call.language, currency, call.caller.may(Permission::read_product)});
}

// --- products

Task<Result<Rendered<ProductPage>>> Handlers::list(Call& call, Query<ProductQuery> query) {
  CO_TRY(const auto seen, co_await view(call));
  CO_TRY(auto json, co_await s_.products.list(call.context, query.value, call.request.query(), seen));
  co_return Rendered<ProductPage>{std::make_shared<const std::string>(std::move(json))};
}

Task<Result<ProductAnswer>> Handlers::detail(Call& call, ProductId id) {
  CO_TRY(const auto seen, co_await view(call));
  CO_TRY(auto product, co_await s_.products.detail(call.context, id, seen));
  co_return ProductAnswer{std::move(product), {seen.currency.text()}};
}

Task<Result<DetailProduct>> Handlers::detail_by_sku(Call& call, Sku sku) {
  CO_TRY(const auto seen, co_await view(call));
  co_return co_await s_.products.detail_by_sku(call.context, sku.value, seen);
}

Task<Result<DetailProduct>> Handlers::create(Call& call, Body<NewProduct> body) {
  CO_TRY(const auto seen, co_await view(call));
  co_return co_await s_.products.create(call.context, body.value, seen);
}

Task<Result<BareProduct>> Handlers::update(Call& call, ProductId id, Body<UpdateProduct> body) {
  co_return co_await s_.products.update(call.context, id, body.value);
}

Task<Result<void>> Handlers::remove(Call& call, ProductId id) { co_return co_await s_.products.remove(call.context, id); }

Task<Result<Message>> Handlers::add_categories(Call& call, ProductId id, Body<CategoryIds> body) {
  CO_CHECK(co_await s_.products.add_categories(call.context, id, body.value));
  co_return Message{"Categories added."};
}

Task<Result<Message>> Handlers::remove_categories(Call& call, ProductId id, Body<CategoryIdsToRemove> body) {
  CO_CHECK(co_await s_.products.remove_categories(call.context, id, body.value));
  co_return Message{"Categories removed."};
}

Task<Result<Message>> Handlers::add_images(Call& call, ProductId id, Body<std::vector<NewImage>> body) {
  CO_CHECK(co_await s_.products.add_images(call.context, id, body.value));
  co_return Message{"Images added."};
}

Task<Result<Message>> Handlers::remove_images(Call& call, ProductId id, Body<ImageIds> body) {
  CO_CHECK(co_await s_.products.remove_images(call.context, id, body.value));
  co_return Message{"Images removed."};
}

Task<Result<BulkProducts>> Handlers::bulk_products(Call& call) {
  if (!s_.demo) co_return no_demo();
  CO_TRY(auto created, co_await s_.demo->load_products(call.context));
  co_return BulkProducts{"Demo products loaded.", std::move(created)};
}

Task<Result<Broadcasted>> Handlers::resync(Call& call) {
  CO_TRY(const auto count, co_await s_.products.resync(call.context));
  co_return Broadcasted{"All products are being sent again.", count};
}

Task<Result<std::map<std::string, VariantDetails>>> Handlers::variant_details(Call& call, Body<VariantIds> body) {
  co_return co_await s_.products.variant_details(call.context, body.value);
}

Task<Result<DocumentPage>> Handlers::documents(Call& call, Query<DocumentQuery> query) {
  co_return co_await s_.products.documents(call.context, query.value);
}

// --- variants and stock

Task<Result<std::vector<Variant>>> Handlers::variants(Call& call, ProductId id) {
  CO_TRY(const auto seen, co_await view(call));
  co_return co_await s_.products.variants(call.context, id, seen);
}

Task<Result<Variant>> Handlers::variant(Call& call, VariantId id) {
  CO_TRY(const auto seen, co_await view(call));
  co_return co_await s_.products.variant(call.context, id, seen);
}

Task<Result<Variant>> Handlers::add_variant(Call& call, ProductId id, Body<NewStandaloneVariant> body) {
  CO_TRY(const auto seen, co_await view(call));
  co_return co_await s_.products.add_variant(call.context, id, body.value, seen);
}

Task<Result<Variant>> Handlers::update_variant(Call& call, VariantId id, Body<UpdateVariant> body) {
  CO_TRY(const auto seen, co_await view(call));
  co_return co_await s_.products.update_variant(call.context, id, body.value, seen);
}

Task<Result<void>> Handlers::remove_variant(Call& call, VariantId id) { co_return co_await s_.products.remove_variant(call.context, id); }

Task<Result<AdjustAnswer>> Handlers::adjust(Call& call, VariantId id, Body<AdjustStock> body) {
  CO_TRY(const auto header, idempotency_header(call.request));
  std::optional<IdempotencyKey> key;
  if (header) {
    key = IdempotencyKey{"adjust " + (call.caller.internal() ? call.caller.service : call.caller.id.text()), *header,
                         codec::hex(sha256(id.text() + call.request.body))};
  }
  co_return co_await s_.stock.adjust(call.context, id, body.value, key);
}

Task<Result<std::vector<Movement>>> Handlers::history(Call& call, VariantId id) { co_return co_await s_.stock.history(call.context, id); }

Task<Result<ReserveAnswer>> Handlers::reserve(Call& call, Body<ReserveRequest> body) {
  co_return co_await s_.stock.reserve(call.context, body.value);
}

Task<Result<ReleaseAnswer>> Handlers::release(Call& call, Body<ReleaseRequest> body) {
  co_return co_await s_.stock.release(call.context, body->orderId, body->reason.value);
}

// --- categories

Task<Result<std::vector<Category>>> Handlers::categories(Call& call, Query<CategoryQuery> query) {
  CO_TRY(auto all, co_await s_.categories.list(call.context, call.language));
  co_return query->format == "tree" ? as_tree(std::move(all)) : std::move(all);
}

Task<Result<CategoryDetail>> Handlers::category(Call& call, CategoryId id) {
  co_return co_await s_.categories.by_id(call.context, id, call.language);
}

Task<Result<CategoryDetail>> Handlers::category_by_slug(Call& call, Slug slug) {
  co_return co_await s_.categories.by_slug(call.context, slug.value, call.language);
}

Task<Result<CategoryRow>> Handlers::create_category(Call& call, Body<NewCategory> body) {
  co_return co_await s_.categories.create(call.context, body.value);
}

Task<Result<CategoryRow>> Handlers::update_category(Call& call, CategoryId id, Body<UpdateCategory> body) {
  co_return co_await s_.categories.update(call.context, id, body.value);
}

Task<Result<void>> Handlers::remove_category(Call& call, CategoryId id) { co_return co_await s_.categories.remove(call.context, id); }

Task<Result<BulkCategories>> Handlers::bulk_categories(Call& call) {
  if (!s_.demo) co_return no_demo();
  CO_TRY(auto created, co_await s_.demo->load_categories(call.context));
  co_return BulkCategories{"Demo categories loaded.", std::move(created)};
}

// --- currencies

Task<Result<std::vector<CurrencyRow>>> Handlers::currencies(Call& call) { co_return co_await s_.currencies.list(call.context); }

Task<Result<CurrencyRow>> Handlers::rate(Call& call, Currency code) { co_return co_await s_.currencies.rate(call.context, code); }

Task<Result<CurrencyRow>> Handlers::set_currency(Call& call, Body<SetCurrency> body) {
  co_return co_await s_.currencies.set(call.context, body.value);
}

// --- promotions

Task<Result<std::vector<ShownPromotion>>> Handlers::promotions(Call& call) {
  co_return co_await s_.promotions.current(call.context, call.language);
}

Task<Result<std::vector<Promotion>>> Handlers::all_promotions(Call& call) { co_return co_await s_.promotions.all(call.context); }

Task<Result<Promotion>> Handlers::promotion(Call& call, PromotionId id) { co_return co_await s_.promotions.one(call.context, id); }

Task<Result<Promotion>> Handlers::create_promotion(Call& call, Body<NewPromotion> body) {
  co_return co_await s_.promotions.create(call.context, body.value);
}

Task<Result<Promotion>> Handlers::update_promotion(Call& call, PromotionId id, Body<UpdatePromotion> body) {
  co_return co_await s_.promotions.update(call.context, id, body.value);
}

Task<Result<Message>> Handlers::reorder_promotions(Call& call, Body<Reorder> body) {
  CO_CHECK(co_await s_.promotions.reorder(call.context, body.value));
  co_return Message{"Promotions reordered."};
}

Task<Result<void>> Handlers::remove_promotion(Call& call, PromotionId id) { co_return co_await s_.promotions.remove(call.context, id); }

}  // namespace shop::product

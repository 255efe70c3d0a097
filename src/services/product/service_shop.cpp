// Currencies and promotions: what belongs to the shop rather than to a product.
#include <algorithm>

#include "services/product/service.hpp"

namespace shop::product {
namespace {

Failure no_promotion() { return fail(Code::not_found, "Promotion not found."); }

Task<Result<void>> first_currency_in(Transaction& tx, const Instant& now) {
  CO_TRY(const auto rows, co_await store::currencies(tx));
  if (rows.empty()) CO_CHECK(co_await store::put_currency(tx, {Currency{}, Rate{}, true, now}));
  co_return Result<void>();
}

Task<Result<Promotion>> update_promotion_in(Transaction& tx, const PromotionId& id, const UpdatePromotion& change, const Instant& now) {
  CO_TRY(const auto before, co_await store::promotion_for_change(tx, id));
  if (!before) co_return no_promotion();
  const auto after = promotion_with(*before, change, now);
  CO_CHECK(co_await store::update_promotion(tx, after));
  co_return after;
}

Task<Result<void>> reorder_in(Transaction& tx, const Reorder& request, const Instant& now) {
  std::map<PromotionId, std::int64_t> places;
  for (std::size_t i = 0; i < request.orderedIds.size(); ++i) places[request.orderedIds[i]] = static_cast<std::int64_t>(i);
  CO_TRY(const bool all, co_await store::place_promotions(tx, places, now));
  if (!all) co_return no_promotion();
  co_return Result<void>();
}

}  // namespace

Task<Result<void>> CurrencyService::prepare(const Context& context) {
  co_return co_await write(tools_.database, context, first_currency_in, tools_.clock.wall());
}

Task<Result<std::vector<CurrencyRow>>> CurrencyService::list(const Context& context) {
  co_return co_await read(tools_.database, context, store::currencies);
}

Task<Result<CurrencyRow>> CurrencyService::rate(const Context& context, const Currency& code) {
  CO_TRY(const auto table, co_await tools_.catalogue.currencies(context));
  const auto row = table->rows.find(code);
  if (row == table->rows.end()) co_return fail(Code::not_found, fmt::format("The currency {} is not known.", code.text()));
  co_return row->second;
}

Task<Result<CurrencyRow>> CurrencyService::set(const Context& context, const SetCurrency& request) {
  co_return co_await write(tools_.database, context, [&](Transaction& tx) { return set_in(tx, request); });
}

Task<Result<CurrencyRow>> CurrencyService::set_in(Transaction& tx, const SetCurrency& request) {
  CO_CHECK(co_await store::hold_currencies(tx));
  CO_TRY(const auto rows, co_await store::currencies(tx));
  const auto is_base = [&](const CurrencyRow& row) { return row.isBase && row.code == request.code; };
  const bool base_already = std::ranges::any_of(rows, is_base);
  const bool base_wanted = request.isBase.value_or(false);
  if (base_wanted && !base_already) {
    CO_TRY(const bool priced, co_await store::priced_variants_exist(tx));
    if (priced) {
      co_return fail(Code::conflict, "Prices are kept in the base currency: it cannot change while products have prices.", "BASE_IN_USE");
    }
    CO_CHECK(co_await store::clear_base(tx));
  }
  const bool base = base_already || base_wanted;  // the flag of the present base goes only when another takes it
  const CurrencyRow row{request.code, base ? Rate{} : request.rateVsBase, base, tools_.clock.wall()};
  CO_CHECK(co_await store::put_currency(tx, row));
  tx.on_commit([tools = tools_] { tools.catalogue.currencies_changed(); });
  co_return row;
}

Task<Result<std::vector<ShownPromotion>>> PromotionService::current(const Context& context, const std::string& language) {
  CO_TRY(const auto rows, co_await all(context));
  const auto now = tools_.clock.wall();
  std::vector<ShownPromotion> shown;
  for (const auto& promotion : rows) {
    if (promotion.isActive && (!promotion.expiresAt || *promotion.expiresAt > now)) shown.push_back(shown_promotion(promotion, language));
  }
  co_return shown;
}

Task<Result<std::vector<Promotion>>> PromotionService::all(const Context& context) {
  co_return co_await read(tools_.database, context, store::promotions);
}

Task<Result<Promotion>> PromotionService::one(const Context& context, const PromotionId& id) {
  CO_TRY(auto found, co_await read(tools_.database, context, store::promotion, id));
  if (!found) co_return no_promotion();
  co_return std::move(*found);
}

Task<Result<Promotion>> PromotionService::create(const Context& context, const NewPromotion& r) {
  const auto now = tools_.clock.wall();
  Promotion p;
  p.id = tools_.random.id<PromotionId>(now);
  p.title = r.title.texts;
  p.subtitle = texts_of(r.subtitle);
  p.tagline = texts_of(r.tagline);
  p.ctaText = r.ctaText.texts;
  p.ctaLink = r.ctaLink.value;
  p.imageUrl = r.imageUrl.value;
  if (const auto image = codec::given(r.productImageUrl)) p.productImageUrl = image->value;
  p.expiresAt = codec::given(r.expiresAt);
  p.isActive = r.isActive.value_or(false);
  if (r.displayOrder) p.displayOrder = *r.displayOrder;
  p.createdAt = p.updatedAt = now;
  CO_CHECK(co_await write(tools_.database, context, store::insert_promotion, p));
  co_return p;
}

Task<Result<Promotion>> PromotionService::update(const Context& context, const PromotionId& id, const UpdatePromotion& change) {
  co_return co_await write(tools_.database, context, update_promotion_in, id, change, tools_.clock.wall());
}

Task<Result<void>> PromotionService::reorder(const Context& context, const Reorder& request) {
  if (request.orderedIds.size() > 1000) co_return fail(codec::faulty({{"orderedIds", "has more than 1000 entries"}}));
  co_return co_await write(tools_.database, context, reorder_in, request, tools_.clock.wall());
}

Task<Result<void>> PromotionService::remove(const Context& context, const PromotionId& id) {
  CO_TRY(const bool existed, co_await write(tools_.database, context, store::delete_promotion, id));
  if (!existed) co_return no_promotion();
  co_return Result<void>();
}

}  // namespace shop::product

// HTTP <-> use case.
#pragma once

#include "net/route.hpp"
#include "services/product/service.hpp"

namespace shop::product {

using net::Body;
using net::Call;
using net::Query;
using net::Rendered;

// The demo catalogue, which only some programs carry (contract, section 4: the two /bulk routes).
class DemoCatalogue {
 public:
  virtual ~DemoCatalogue() = default;
  virtual Task<Result<std::vector<CategoryRow>>> load_categories(const Context& context) = 0;  // conflict: there already
  virtual Task<Result<std::vector<CreatedProduct>>> load_products(const Context& context) = 0;
};

struct Services {
  ProductService& products;
  CategoryService& categories;
  StockService& stock;
  CurrencyService& currencies;
  PromotionService& promotions;
  DemoCatalogue*& demo;
};

class Handlers {
 public:
  explicit Handlers(Services services) : s_(services) {}

  Task<Result<Rendered<ProductPage>>> list(Call& call, Query<ProductQuery> query);
  Task<Result<ProductAnswer>> detail(Call& call, ProductId id);
  Task<Result<DetailProduct>> detail_by_sku(Call& call, Sku sku);
  Task<Result<DetailProduct>> create(Call& call, Body<NewProduct> body);
  Task<Result<BareProduct>> update(Call& call, ProductId id, Body<UpdateProduct> body);
  Task<Result<void>> remove(Call& call, ProductId id);
  Task<Result<Message>> add_categories(Call& call, ProductId id, Body<CategoryIds> body);
  Task<Result<Message>> remove_categories(Call& call, ProductId id, Body<CategoryIdsToRemove> body);
  Task<Result<Message>> add_images(Call& call, ProductId id, Body<std::vector<NewImage>> body);
  Task<Result<Message>> remove_images(Call& call, ProductId id, Body<ImageIds> body);
  Task<Result<BulkProducts>> bulk_products(Call& call);
  Task<Result<Broadcasted>> resync(Call& call);
  Task<Result<std::map<std::string, VariantDetails>>> variant_details(Call& call, Body<VariantIds> body);
  Task<Result<DocumentPage>> documents(Call& call, Query<DocumentQuery> query);

  Task<Result<std::vector<Variant>>> variants(Call& call, ProductId id);
  Task<Result<Variant>> variant(Call& call, VariantId id);
  Task<Result<Variant>> add_variant(Call& call, ProductId id, Body<NewStandaloneVariant> body);
  Task<Result<Variant>> update_variant(Call& call, VariantId id, Body<UpdateVariant> body);
  Task<Result<void>> remove_variant(Call& call, VariantId id);

  Task<Result<AdjustAnswer>> adjust(Call& call, VariantId id, Body<AdjustStock> body);
  Task<Result<std::vector<Movement>>> history(Call& call, VariantId id);
  Task<Result<ReserveAnswer>> reserve(Call& call, Body<ReserveRequest> body);
  Task<Result<ReleaseAnswer>> release(Call& call, Body<ReleaseRequest> body);

  Task<Result<std::vector<Category>>> categories(Call& call, Query<CategoryQuery> query);
  Task<Result<CategoryDetail>> category(Call& call, CategoryId id);
  Task<Result<CategoryDetail>> category_by_slug(Call& call, Slug slug);
  Task<Result<CategoryRow>> create_category(Call& call, Body<NewCategory> body);
  Task<Result<CategoryRow>> update_category(Call& call, CategoryId id, Body<UpdateCategory> body);
  Task<Result<void>> remove_category(Call& call, CategoryId id);
  Task<Result<BulkCategories>> bulk_categories(Call& call);

  Task<Result<std::vector<CurrencyRow>>> currencies(Call& call);
  Task<Result<CurrencyRow>> rate(Call& call, Currency code);
  Task<Result<CurrencyRow>> set_currency(Call& call, Body<SetCurrency> body);

  Task<Result<std::vector<ShownPromotion>>> promotions(Call& call);
  Task<Result<std::vector<Promotion>>> all_promotions(Call& call);
  Task<Result<Promotion>> promotion(Call& call, PromotionId id);
  Task<Result<Promotion>> create_promotion(Call& call, Body<NewPromotion> body);
  Task<Result<Promotion>> update_promotion(Call& call, PromotionId id, Body<UpdatePromotion> body);
  Task<Result<Message>> reorder_promotions(Call& call, Body<Reorder> body);
  Task<Result<void>> remove_promotion(Call& call, PromotionId id);

 private:
  Task<Result<View>> view(Call& call);

  const Services s_;
};

const net::RouteTable<Handlers>& routes();

}  // namespace shop::product

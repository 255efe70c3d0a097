// product-service as a program composes it.
#pragma once

#include "runtime/service.hpp"
#include "services/product/handlers.hpp"

namespace shop::product {

struct Settings {
  Catalogue::Limits catalogue;
  StockService::Settings stock;
};

class ProductModule final : public Service {
 public:
  ProductModule(const ServiceWorld& world, Settings settings, Database& database);

  net::Router& router() override { return router_; }
  Health& health() override { return health_; }
  std::vector<Loop*> loops() override;
  Task<Result<void>> prepare(const Context& context) override;
  void abandon() override { stock_.abandon(); }

  void carry_demo(DemoCatalogue& demo) { demo_ = &demo; }

 private:
  Task<Result<void>> handle(const Context& context, const std::vector<ReceivedEvent>& events);

  Catalogue catalogue_;
  Outbox outbox_;
  Publisher publisher_;
  const Tools tools_;
  ProductService products_;
  CategoryService categories_;
  StockService stock_;
  CurrencyService currencies_;
  PromotionService promotions_;
  DemoCatalogue* demo_ = nullptr;
  Handlers handlers_;
  Consumer consumer_;
  Loop sweeper_;
  Loop janitor_;
  Health health_;
  net::Router router_;
};

}  // namespace shop::product

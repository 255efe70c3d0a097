// search-service as a program composes it.
#pragma once

#include "runtime/service.hpp"
#include "services/search/handlers.hpp"

namespace shop::search {

class SearchModule final : public Service {
 public:
  SearchModule(const ServiceWorld& world, SearchIndex& index);

  net::Router& router() override { return router_; }
  Health& health() override { return health_; }
  std::vector<Loop*> loops() override { return {&consumer_.loop(), &rebuilder_.loop()}; }
  Task<Result<void>> prepare(const Context& context) override;

 private:
  Task<Result<void>> handle(const Context& context, const std::vector<ReceivedEvent>& events);

  SearchIndex& index_;
  SearchService service_;
  Rebuilder rebuilder_;
  Handlers handlers_;
  Consumer consumer_;
  Health health_;
  net::Router router_;
};

}  // namespace shop::search

// The peers of cart-service.
#pragma once

#include "runtime/peer.hpp"
#include "services/product/api.hpp"

namespace shop::cart {

class CataloguePeer {
 public:
  explicit CataloguePeer(ServiceCaller& caller) : peer_(caller, "product-service") {}

  // Nothing: there is no such variant.
  Task<Result<std::optional<product::VariantDetails>>> variant(const Context& context, const VariantId& id) const {
    CO_TRY(auto details, (co_await peer_.post<std::map<std::string, product::VariantDetails>>(context, "/internal/variant-details",
                                                                                             product::VariantIds{{id}})));
    const auto found = details.find(id.text());
    if (found == details.end()) co_return std::optional<product::VariantDetails>();
    co_return std::move(found->second);
  }

  Task<Result<product::CurrencyRow>> rate(const Context& context, const Currency& code) const {
    return peer_.get<product::CurrencyRow>(context, "/currencies/internal/rates/" + code.text());
  }

 private:
  Peer peer_;
};

}  // namespace shop::cart

// The peers of search-service.
#pragma once

#include "runtime/peer.hpp"
#include "services/search/domain.hpp"

namespace shop::search {

struct VersionedProduct {
  std::int64_t version = 0;
  IndexedProduct document;
};
BOOST_DESCRIBE_STRUCT(VersionedProduct, (), (version, document))

struct ProductPage {
  std::vector<VersionedProduct> documents;
  std::optional<ProductId> next;  // nothing: that was the last
};
BOOST_DESCRIBE_STRUCT(ProductPage, (), (documents, next))

class CataloguePeer {
 public:
  explicit CataloguePeer(ServiceCaller& caller) : peer_(caller, "product-service") {}

  // Products by id, each with the version of the last event that it is at least as new as. bad_upstream: also when the page
  // is too large for an answer.
  Task<Result<ProductPage>> products(const Context& context, const std::optional<ProductId>& after, int limit) const {
    return peer_.get<ProductPage>(context, fmt::format("/internal/product-documents?limit={}{}", limit, after ? "&after=" + after->text() : ""));
  }

  Task<Result<std::vector<product::CurrencyRow>>> currencies(const Context& context) const {
    return peer_.get<std::vector<product::CurrencyRow>>(context, "/currencies");
  }

 private:
  Peer peer_;
};

}  // namespace shop::search

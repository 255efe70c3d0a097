#include "services/gateway/domain.hpp"

#include <gtest/gtest.h>

namespace shop::gateway {
namespace {

TEST(Prefix, IsAWholeFirstSegment) {
  EXPECT_EQ(prefix_of("/products")->service, "product-service");
  EXPECT_EQ(prefix_of("/products/id/1")->service, "product-service");
  EXPECT_EQ(prefix_of("/carts/")->service, "cart-service");
  for (const auto* path : {"/", "/productsx", "/product", "//products", "/PRODUCTS", "/%70roducts", "/products;x", "/health"}) {
    EXPECT_FALSE(prefix_of(path)) << path;
  }
}

TEST(Hidden, InternalSegmentsInEverySpelling) {
  for (const auto* path : {"/products/internal", "/products/internal/stock/reserve", "/products/INTERNAL/x", "/products/%69nternal/x",
                           "/products/%2569nternal/x",
                           "/products//internal/x", "/products/x/internal", "/products/internal;a=b/x", "/products/internal%3Ba/x",
                           "/auth/users/internal/total-count",
                           "/products/metrics", "/products//metrics", "/products/metrics/", "/products/%6detrics", "/auth/openapi.json"}) {
    EXPECT_TRUE(hidden(path)) << path;
  }
  for (const auto* path : {"/products", "/products/internally", "/products/id/metrics", "/products/slug/openapi.json", "/products/internal/resync-products",
                           "/products/sku/x-internal"}) {
    EXPECT_FALSE(hidden(path)) << path;
  }
}

}  // namespace
}  // namespace shop::gateway

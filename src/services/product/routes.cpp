#include "services/product/handlers.hpp"

namespace shop::product {

using enum Method;
using enum Permission;
using net::anyone;
using net::internal_only;
using net::needs;
using net::recognised;

// clang-format off
const net::RouteTable<Handlers>& routes() {
  constexpr net::RowOptions large{.body_limit = 1'000'000};
  static const net::RouteTable<Handlers> table{
      {get, "/", recognised(), &Handlers::list, "Products, filtered, sorted and paged", {200}, {}},
      {get, "/id/:id", recognised(), &Handlers::detail, "One product with all its texts", {200}, {404}},
      {get, "/sku/:sku", recognised(), &Handlers::detail_by_sku, "One product by its SKU", {200}, {404}},
      {post, "/", needs(create_product), &Handlers::create, "Create a product with variants, pictures and categories in one transaction", {201}, {409}, large},
      {put, "/:id", needs(update_product), &Handlers::update, "Change SKU, texts or visibility", {200}, {404, 409}, large},
      {del, "/:id", needs(delete_product), &Handlers::remove, "Delete a product; its stock history stays", {204}, {404}},
      {post, "/:id/categories", needs(update_product), &Handlers::add_categories, "Put a product into categories", {201}, {404, 409}, large},
      {del, "/:id/categories", needs(update_product), &Handlers::remove_categories, "Take a product out of categories", {200}, {}, large},
      {post, "/:id/images", needs(update_product), &Handlers::add_images, "Add pictures; at most one is primary", {201}, {404}, large},
      {del, "/:id/images", needs(update_product), &Handlers::remove_images, "Remove pictures", {200}, {}, large},
      {post, "/bulk", needs(create_product).for_operators(), &Handlers::bulk_products, "Load the demo products", {201}, {404, 409}},
      {post, "/internal/resync-products", needs(update_product).for_operators(), &Handlers::resync, "Send every product as an event again", {200}, {}},
      {post, "/internal/variant-details", internal_only(), &Handlers::variant_details, "Price, names and stock of variants", {200}, {}},
      {get, "/internal/product-documents", internal_only(), &Handlers::documents, "Products as search documents, by id", {200}, {}},

      {get, "/:productId/variants", recognised(), &Handlers::variants, "The variants of a product", {200}, {404}},
      {get, "/variants/:variantId", recognised(), &Handlers::variant, "One variant", {200}, {404}},
      {post, "/:productId/variants", needs(update_product), &Handlers::add_variant, "Add a variant", {201}, {404}, large},
      {put, "/variants/:variantId", needs(update_product), &Handlers::update_variant, "Change attributes, prices or the threshold", {200}, {404}, large},
      {del, "/variants/:variantId", needs(update_product), &Handlers::remove_variant, "Delete a variant that was never moved", {204}, {404, 409}},
      {post, "/stock/adjust/:variantId", needs(adjust_stock).and_services(), &Handlers::adjust, "Change stock, with its movement", {201}, {404, 422}, large},
      {get, "/stock/history/:variantId", needs(read_stock, adjust_stock), &Handlers::history, "The last 1000 movements of a variant, newest first", {200}, {}},
      {post, "/internal/stock/reserve", internal_only(), &Handlers::reserve, "Reserve all lines of an order or none, once", {200}, {404, 409}},
      {post, "/internal/stock/release", internal_only(), &Handlers::release, "Give back once whatever an order holds", {200}, {}},

      {get, "/categories", anyone(), &Handlers::categories, "Categories by name, flat or as a tree", {200}, {}},
      {get, "/categories/id/:id", anyone(), &Handlers::category, "One category with parent and children", {200}, {404}},
      {get, "/categories/slug/:slug", anyone(), &Handlers::category_by_slug, "One category by its slug", {200}, {404}},
      {post, "/categories", needs(create_category), &Handlers::create_category, "Create a category", {201}, {404, 409}, large},
      {put, "/categories/:id", needs(update_category), &Handlers::update_category, "Change a category; null as parentId: a root", {200}, {404, 409}, large},
      {del, "/categories/:id", needs(delete_category), &Handlers::remove_category, "Delete a category without children and products", {204}, {409}},
      {post, "/categories/bulk", needs(create_category).for_operators(), &Handlers::bulk_categories, "Load the demo categories", {201}, {404, 409}},

      {get, "/currencies", anyone(), &Handlers::currencies, "Currencies and their rates", {200}, {}},
      {get, "/currencies/internal/rates/:code", internal_only(), &Handlers::rate, "One rate", {200}, {404}},
      {post, "/currencies", needs(write_currency), &Handlers::set_currency, "Set a rate, or make a currency the base", {200}, {409}, large},

      {get, "/promotions", anyone(), &Handlers::promotions, "Active promotions in the visitor's language", {200}, {}},
      {get, "/promotions/all", needs(read_promotion), &Handlers::all_promotions, "All promotions with all texts", {200}, {}},
      {get, "/promotions/:id", needs(read_promotion), &Handlers::promotion, "One promotion", {200}, {404}},
      {post, "/promotions", needs(write_promotion), &Handlers::create_promotion, "Create a promotion", {201}, {}, large},
      {put, "/promotions/reorder", needs(write_promotion), &Handlers::reorder_promotions, "Set the order of promotions", {200}, {404}, large},
      {put, "/promotions/:id", needs(write_promotion), &Handlers::update_promotion, "Change a promotion; a missing expiresAt clears it", {200}, {404}, large},
      {del, "/promotions/:id", needs(write_promotion), &Handlers::remove_promotion, "Delete a promotion", {204}, {404}},
  };
  return table;
}
// clang-format on

}  // namespace shop::product

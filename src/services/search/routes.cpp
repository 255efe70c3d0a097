#include "services/search/handlers.hpp"

namespace shop::search {

using enum Method;
using net::anyone;
using net::internal_only;

// clang-format off
const net::RouteTable<Handlers>& routes() {
  static const net::RouteTable<Handlers> table{
      {get, "/products", anyone(), &Handlers::search, "Search products by words, with filters, sorting and facets", {200}, {503}},
      {post, "/internal/reindex", internal_only(), &Handlers::reindex, "Begin to build the index anew beside the live one", {202}, {}},
      {get, "/internal/reindex", internal_only(), &Handlers::rebuild_report, "How the last rebuild stands", {200}, {}},
  };
  return table;
}
// clang-format on

}  // namespace shop::search

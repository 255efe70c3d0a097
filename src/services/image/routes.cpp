#include "services/image/handlers.hpp"

namespace shop::image {

using enum Method;
using net::anyone;

// clang-format off
const net::RouteTable<Handlers>& routes() {
  constexpr net::RowOptions one_file{.body_limit = max_file_bytes + 64 * 1024, .size_is_400 = true, .bytes_at_once = max_bytes_at_once};
  static const net::RouteTable<Handlers> table{
      {post, "/upload", anyone().and_services(), &Handlers::upload, "Store a picture: JPEG, PNG, GIF or WebP of at most 5 MiB", {201}, {429}, one_file},
      {get, "/:filename", anyone(), &Handlers::picture, "A picture, or a range of it", {200, 206, 304}, {404, 416}},
      {get, "/images/:filename", anyone(), &Handlers::picture, "The same, on the service's own port", {200, 206, 304}, {404, 416}},
  };
  return table;
}
// clang-format on

}  // namespace shop::image

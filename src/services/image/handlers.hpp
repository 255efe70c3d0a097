// HTTP <-> use case.
#pragma once

#include "net/route.hpp"
#include "services/image/service.hpp"

namespace shop::image {

using net::Call;
using net::RawBody;

class Handlers {
 public:
  explicit Handlers(ImageService& service) : service_(service) {}

  Task<Result<UploadAnswer>> upload(Call& call, RawBody body);
  Task<Result<Response>> picture(Call& call, PictureName name);

 private:
  ImageService& service_;
};

const net::RouteTable<Handlers>& routes();

}  // namespace shop::image

#include "services/image/handlers.hpp"

#include "net/router.hpp"

namespace shop::image {
namespace {

void add_fixed_fields(Headers& headers, const PictureName& name) {
  headers.add("ETag", etag_of(name));
  headers.add("Cache-Control", "public, max-age=31536000, immutable");
  headers.add("X-Content-Type-Options", "nosniff");
  headers.add("Content-Security-Policy", "sandbox");
  headers.add("Accept-Ranges", "bytes");
}

// RFC 9110, 13.1.5: a range of another version is not wanted, and only a strong validator can tell.
bool range_counts(const Request& request, std::string_view etag) {
  if (request.method != Method::get) return false;
  return !request.headers.has("If-Range") || trimmed(request.headers.get("If-Range")) == etag;
}

Response not_satisfiable(const Context& context, std::uint64_t size) {
  auto response = net::problem_response({Code::invalid, "The picture does not have that range.", "RANGE_NOT_SATISFIABLE", {}, {}, {}},
                                        context.request_id, net::ProblemStyle::word);
  response.status = 416;
  response.headers.add("Content-Range", fmt::format("bytes */{}", size));
  return response;
}

}  // namespace

Task<Result<UploadAnswer>> Handlers::upload(Call& call, RawBody body) {
  const auto client = call.caller.internal() ? std::nullopt : std::optional(call.client);
  co_return co_await service_.upload(call.context, body.content_type, body.bytes, client);
}

Task<Result<Response>> Handlers::picture(Call& call, PictureName name) {
  const auto& headers = call.request.headers;
  CO_TRY(auto file, co_await service_.picture(call.context, name));
  Response response;
  add_fixed_fields(response.headers, name);
  if (net::none_match(headers.get("If-None-Match"), etag_of(name))) {
    response.status = 304;
    co_return response;
  }
  const auto wanted = range_counts(call.request, etag_of(name)) ? wanted_of(headers.get("Range"), file.size) : Wanted(Whole{});
  if (std::holds_alternative<Unsatisfiable>(wanted)) co_return not_satisfiable(call.context, file.size);
  response.headers.add("Content-Type", codec::media_type(name.format));
  if (const auto* piece = std::get_if<Piece>(&wanted)) {
    response.status = 206;
    response.headers.add("Content-Range", fmt::format("bytes {}-{}/{}", piece->offset, piece->offset + piece->size - 1, file.size));
    file.offset = piece->offset;
    file.size = piece->size;
  }
  response.body = std::move(file);
  co_return response;
}

}  // namespace shop::image

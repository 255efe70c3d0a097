#include "services/image/service.hpp"

#include "codec/json_reader.hpp"
#include "runtime/tokens.hpp"

namespace shop::image {
namespace {

struct Judged {
  PictureName name;
  codec::Picture picture;
};

Failure wrong_form(std::string message) {
  return fail(Error{Code::invalid, message, "WRONG_FORM", {{std::string(form_field), std::move(message)}}, {}, {}});
}

// The one file of the form. Fields that are no files say nothing here.
Result<std::string_view> file_of(std::string_view content_type, std::string_view body) {
  TRY(const auto parts, codec::parse_multipart(content_type, body));
  std::optional<std::string_view> file;
  for (const auto& part : parts) {
    if (!part.filename) continue;
    if (part.name != form_field) return wrong_form(fmt::format("Send the file in the field {}.", form_field));
    if (file) return wrong_form("Send one file at a time.");
    file = part.bytes;
  }
  if (!file) return wrong_form(fmt::format("Send a file in the field {}.", form_field));
  if (file->size() > max_file_bytes) return fail(Code::invalid, "The file is larger than 5 MiB.", "TOO_LARGE");
  return *file;
}

Result<Judged> judged(std::string_view content_type, std::string_view body) {
  TRY(const auto file, file_of(content_type, body));
  TRY(auto picture, codec::bare_picture(file));
  const auto name = name_for(picture.format, sha256(picture.bytes));
  return Judged{name, std::move(picture)};
}

Settings without_last_slash(Settings settings) {
  while (settings.base_url.ends_with('/')) settings.base_url.pop_back();
  return settings;
}

}  // namespace

ImageService::ImageService(Settings settings, BlobStore& blobs, WorkerPool& workers, RateLimiter& limiter)
    : settings_(without_last_slash(std::move(settings))), blobs_(blobs), workers_(workers), limiter_(limiter) {}

Task<Result<UploadAnswer>> ImageService::upload(const Context& context, std::string_view content_type, std::string_view body,
                                                const std::optional<std::string>& client) {
  if (client) CO_CHECK(co_await limiter_.count(context, settings_.attempts, *client));
  CO_TRY(auto file, co_await workers_.run(context, [=] { return judged(content_type, body); }));
  if (client) CO_CHECK(co_await limiter_.count(context, settings_.uploads, *client));
  const auto size = static_cast<std::int64_t>(file.picture.bytes.size());
  const auto filename = file.name.text();
  CO_CHECK(co_await blobs_.put(context, filename, std::move(file.picture.bytes)));
  co_return UploadAnswer{"Image uploaded.", file.name, fmt::format("{}/images/{}", settings_.base_url, filename),
                         std::string(codec::media_type(file.picture.format)), size};
}

Task<Result<FileRange>> ImageService::picture(const Context& context, const PictureName& name) {
  auto file = co_await blobs_.open(context, name.text());
  if (!file && file.error().code == Code::not_found) co_return fail(Code::not_found, "Image not found.");
  co_return file;
}

}  // namespace shop::image

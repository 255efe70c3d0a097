// What image-service says on the wire (contract, section 5).
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/id.hpp"
#include "codec/json_writer.hpp"
#include "codec/picture.hpp"

namespace shop::image {

inline constexpr std::size_t max_file_bytes = 5 * 1024 * 1024;
inline constexpr std::size_t max_bytes_at_once = 48 * 1024 * 1024;  // of uploads; each takes twice its size for a moment
inline constexpr std::string_view form_field = "imageFile";

// "7fa1ee8b-c13d-4cd6-b9e9-3b51aac31a47.png": the only names there are. Lower case.
struct PictureName {
  Uuid id;
  codec::PictureFormat format = codec::PictureFormat::png;

  static std::expected<PictureName, std::string> parse(std::string_view text);
  std::string text() const;

  static constexpr std::string_view schema_pattern = R"(^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(jpg|png|gif|webp)$)";
};

struct UploadAnswer {
  std::string message;
  PictureName filename;
  std::string imageUrl, mimetype;
  std::int64_t size = 0;  // of the stored file
};
BOOST_DESCRIBE_STRUCT(UploadAnswer, (), (message, filename, imageUrl, mimetype, size))

}  // namespace shop::image

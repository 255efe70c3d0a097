// JPEG, PNG, GIF and WebP as containers: decides by content what a file is, and writes it anew with the picture alone.
//
// Nothing is decoded, so no picture is worse than its size in bytes: the container is walked from the first byte to its end
// mark, and what a browser needs to show the picture is copied. Dropped are EXIF (but the orientation), XMP, IPTC, comments,
// texts, times, thumbnails, unknown extensions, and everything behind the end mark. A file that has none of these stays as it is,
// byte for byte. Refused is what is truncated, damaged, or has a structure that no decoder promises to show.
//
// Sources: ITU T.81 annex B (JPEG), Exif 2.32 4.6, W3C PNG third edition, GIF89a, RFC 9649 (WebP).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace shop::codec {

enum class PictureFormat : std::uint8_t { jpeg, png, gif, webp };

std::string_view media_type(PictureFormat format);  // "image/jpeg"
std::string_view extension(PictureFormat format);   // "jpg"

inline constexpr std::uint64_t max_pixels = 40'000'000;  // of the whole and of each frame

struct Picture {
  PictureFormat format = PictureFormat::png;
  std::uint32_t width = 0, height = 0;
  std::string bytes;
};

// Code::invalid, named UNKNOWN_PICTURE (none of the four), DAMAGED_PICTURE or PICTURE_TOO_LARGE (more than max_pixels).
Result<Picture> bare_picture(std::string_view file);

}  // namespace shop::codec

// Names and ranges: what needs no store.
#pragma once

#include <optional>
#include <variant>

#include "services/image/api.hpp"

namespace shop::image {

// Version 8 of RFC 9562 from the SHA-256 of the content: equal pictures, equal names.
PictureName name_for(codec::PictureFormat format, std::string_view sha256);

// Strong: under one name there is one content for ever.
std::string etag_of(const PictureName& name);

// What a Range field asks of a file (RFC 9110, 14). Anything but one well-formed range of bytes asks for the whole.
struct Piece {
  std::uint64_t offset = 0, size = 0;

  friend bool operator==(const Piece&, const Piece&) = default;
};
struct Whole {
  friend bool operator==(const Whole&, const Whole&) = default;
};
struct Unsatisfiable {
  friend bool operator==(const Unsatisfiable&, const Unsatisfiable&) = default;
};
using Wanted = std::variant<Whole, Piece, Unsatisfiable>;

Wanted wanted_of(std::string_view range, std::uint64_t size);

}  // namespace shop::image

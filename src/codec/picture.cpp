#include "codec/picture.hpp"

#include <algorithm>
#include <optional>

#include <boost/crc.hpp>
#include <fmt/format.h>

namespace shop::codec {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t max_frames = 2000, max_scans = 100;

// Reads on; once something is missing, everything more is nothing, and ok() says so.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return !broken_; }
  bool at_end() const { return rest_.empty(); }

  std::string_view take(std::size_t count) {
    if (count > rest_.size()) {
      broken_ = true;
      rest_ = {};
      return {};
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::uint32_t big(std::size_t bytes) {
    std::uint32_t value = 0;
    for (char c : take(bytes)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }

  std::uint32_t little(std::size_t bytes) {
    std::uint32_t value = 0;
    int shift = 0;
    for (char c : take(bytes)) value |= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << std::exchange(shift, shift + 8);
    return value;
  }

  std::uint32_t byte() { return big(1); }

  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool broken_ = false;
};

void append_big(std::string& out, std::uint32_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255);
}

void append_little(std::string& out, std::uint32_t value, int bytes) {
  for (int shift = 0; shift < 8 * bytes; shift += 8) out += static_cast<char>(value >> shift & 255);
}

// What a reader of one format finds. `out` holds the picture so far.
struct Found {
  std::uint32_t width = 0, height = 0;
  bool too_large = false;
  std::string out;

  bool size(std::uint32_t w, std::uint32_t h) {
    width = w;
    height = h;
    return frame(w, h);
  }
  bool frame(std::uint32_t w, std::uint32_t h) {
    too_large = too_large || std::uint64_t{w} * h > max_pixels;
    return w > 0 && h > 0 && !too_large;
  }
};

// --- EXIF: which way is up, and nothing else of what a camera knows

// Tag 0x0112 of the first directory; 1, as taken, when there is none.
std::uint32_t orientation_of(std::string_view tiff) {
  const bool from_little = tiff.starts_with("II");
  if (!from_little && !tiff.starts_with("MM")) return 1;
  const auto number = [&](std::size_t at, std::size_t bytes) -> std::uint32_t {
    if (at > tiff.size() || tiff.size() - at < bytes) return 0;
    Cursor in(tiff.substr(at));
    return from_little ? in.little(bytes) : in.big(bytes);
  };
  if (number(2, 2) != 42) return 1;
  const std::size_t directory = number(4, 4);
  const auto entries = number(directory, 2);
  for (std::size_t i = 0; i < entries && i < 200; ++i) {
    const auto at = directory + 2 + 12 * i;
    if (number(at, 2) != 0x0112 || number(at + 2, 2) != 3) continue;
    const auto value = number(at + 8, 2);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

// One directory with one entry; empty for a picture that stands as it was taken.
std::string bare_exif(std::string_view tiff) {
  const auto orientation = orientation_of(tiff);
  if (orientation == 1) return {};
  std::string bare("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01"sv);
  append_big(bare, orientation, 2);
  bare.append(6, '\0');
  return bare;
}

// --- JPEG

enum Marker : std::uint32_t { sof0 = 0xC0, sof2 = 0xC2, dht = 0xC4, rst0 = 0xD0, rst7 = 0xD7, eoi = 0xD9, sos = 0xDA, dqt = 0xDB,
                              dri = 0xDD, app0 = 0xE0, app1 = 0xE1, app2 = 0xE2, app14 = 0xEE, app15 = 0xEF, com = 0xFE };

constexpr auto exif_mark = "Exif\0\0"sv;

void append_segment(std::string& out, std::uint32_t marker, std::string_view body) {
  out += '\xFF';
  append_big(out, marker, 1);
  append_big(out, static_cast<std::uint32_t>(body.size() + 2), 2);
  out += body;
}

bool frame_header(std::string_view body, Found& found) {
  Cursor in(body);
  const auto precision = in.big(1), height = in.big(2), width = in.big(2), components = in.big(1);
  if (!in.ok() || precision != 8 || (components != 1 && components != 3 && components != 4)) return false;
  return body.size() == 6 + 3 * std::size_t{components} && found.size(width, height);
}

// Entropy-coded data: up to the next marker that is neither a stuffed zero nor a restart.
std::string_view scan_data(Cursor& in) {
  const auto rest = in.rest();
  for (auto at = rest.find('\xFF'); at != rest.npos && at + 1 < rest.size(); at = rest.find('\xFF', at + 1)) {
    const auto next = static_cast<unsigned char>(rest[at + 1]);
    if (next != 0 && next != 0xFF && (next < rst0 || next > rst7)) return in.take(at);
  }
  return in.take(rest.size() + 1);  // breaks: it never ended
}

bool read_jpeg(std::string_view file, Found& found) {
  Cursor in(file);
  found.out += in.take(2);
  bool framed = false, oriented = false;
  for (std::size_t scans = 0;;) {
    if (in.byte() != 0xFF) return false;
    auto marker = in.byte();
    while (marker == 0xFF) marker = in.byte();
    if (marker == eoi) {
      found.out += "\xFF\xD9"sv;
      return framed && scans > 0;
    }
    const auto length = in.big(2);
    const auto body = in.take(length < 2 ? file.size() + 1 : length - 2);
    if (!in.ok()) return false;

    bool keep = marker == dht || marker == dqt || marker == dri;
    if (marker >= sof0 && marker <= sof2) {
      if (std::exchange(framed, true) || !frame_header(body, found)) return false;
      keep = true;
    } else if (marker == sos) {
      if (!framed || ++scans > max_scans) return false;
      keep = true;
    } else if (marker >= app0 && marker <= app15) {
      keep = (marker == app0 && body.starts_with("JFIF\0"sv)) || (marker == app2 && body.starts_with("ICC_PROFILE\0"sv)) ||
             (marker == app14 && body.starts_with("Adobe"));
      if (marker == app1 && body.starts_with(exif_mark) && !std::exchange(oriented, true)) {
        const auto exif = bare_exif(body.substr(exif_mark.size()));
        if (!exif.empty()) append_segment(found.out, app1, std::string(exif_mark) + exif);
      }
    } else if (marker != com && !keep) {
      return false;
    }
    if (!keep) continue;
    append_segment(found.out, marker, body);
    if (marker == sos) found.out += scan_data(in);
    if (!in.ok()) return false;
  }
}

// --- PNG

bool png_header(std::string_view body, Found& found, bool& palette) {
  Cursor in(body);
  const auto width = in.big(4), height = in.big(4), depth = in.big(1), color = in.big(1);
  const bool plain = in.big(1) == 0 && in.big(1) == 0 && in.big(1) <= 1;
  const bool any_depth = depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
  const bool depth_fits = color == 0 ? any_depth : color == 3 ? any_depth && depth <= 8 : depth == 8 || depth == 16;
  palette = color == 3;
  return body.size() == 13 && plain && depth_fits && (color == 0 || color == 2 || color == 3 || color == 4 || color == 6) &&
         width <= 0x7FFFFFFF && height <= 0x7FFFFFFF && found.size(width, height);
}

void append_png_chunk(std::string& out, std::string_view type, std::string_view body) {
  boost::crc_32_type crc;
  crc.process_bytes(type.data(), type.size());
  crc.process_bytes(body.data(), body.size());
  append_big(out, static_cast<std::uint32_t>(body.size()), 4);
  out += type;
  out += body;
  append_big(out, crc.checksum(), 4);
}

bool read_png(std::string_view file, Found& found) {
  constexpr std::array needed{"IHDR"sv, "PLTE"sv, "IDAT"sv, "IEND"sv};
  constexpr std::array shown{"tRNS"sv, "cHRM"sv, "gAMA"sv, "iCCP"sv, "sBIT"sv, "sRGB"sv, "cICP"sv, "bKGD"sv, "pHYs"sv,
                             "acTL"sv, "fcTL"sv, "fdAT"sv};
  Cursor in(file);
  found.out += in.take(8);
  bool needs_palette = false, palette = false, data = false, data_over = false, oriented = false;
  std::size_t frames = 0;
  for (bool first = true;; first = false) {
    const auto begin = in.rest();
    const auto length = in.big(4);
    const auto type = in.take(4);
    const auto body = in.take(length);
    const auto sum = in.big(4);
    if (!in.ok() || (type == "IHDR") != first) return false;
    const bool need = std::ranges::count(needed, type) > 0;
    const bool show = std::ranges::count(shown, type) > 0;
    if (!need && !(type[0] & 0x20)) return false;  // critical, and unknown
    if (need || show) {
      boost::crc_32_type crc;
      crc.process_bytes(begin.data() + 4, std::size_t{length} + 4);
      if (crc.checksum() != sum) return false;
      found.out += begin.substr(0, std::size_t{length} + 12);
    }
    if (type == "eXIf" && !std::exchange(oriented, true)) {
      if (const auto exif = bare_exif(body); !exif.empty()) append_png_chunk(found.out, type, exif);
    }
    if (type == "IDAT") {
      if (data_over) return false;
      data = true;
    } else {
      data_over = data;
    }
    if (first && !png_header(body, found, needs_palette)) return false;
    if (type == "PLTE") {
      if (palette || data || length == 0 || length > 768 || length % 3 != 0) return false;
      palette = true;
    }
    if (type == "fcTL") {
      Cursor frame(body);
      frame.take(4);
      const auto width = frame.big(4), height = frame.big(4);
      if (length != 26 || width > found.width || height > found.height || !found.frame(width, height) || ++frames > max_frames) return false;
    }
    if (type == "IEND") return length == 0 && data && (palette || !needs_palette);
  }
}

// --- GIF

// Data sub-blocks with their terminator.
std::string_view sub_blocks(Cursor& in) {
  const auto begin = in.rest();
  while (const auto size = in.byte()) in.take(size);
  return begin.substr(0, begin.size() - in.rest().size());
}

std::size_t color_table(std::uint32_t flags) { return flags & 0x80 ? std::size_t{3} << ((flags & 7) + 1) : 0; }

bool read_gif(std::string_view file, Found& found) {
  Cursor in(file);
  in.take(6);
  const auto width = in.little(2), height = in.little(2), flags = in.byte();
  in.take(2 + color_table(flags));
  if (!in.ok() || !found.size(width, height)) return false;
  found.out += file.substr(0, file.size() - in.rest().size());
  for (std::size_t frames = 0;;) {
    const auto begin = in.rest();
    const auto block = in.byte();
    bool keep = true;
    if (block == 0x3B) {
      found.out += ';';
      return frames > 0;
    }
    if (block == 0x21) {
      const auto label = in.byte();
      const auto body = sub_blocks(in);
      keep = (label == 0xF9 && body.size() == 6) ||
             (label == 0xFF && (body.starts_with("\x0BNETSCAPE2.0"sv) || body.starts_with("\x0B""ANIMEXTS1.0"sv)));
    } else if (block == 0x2C) {
      in.take(4);
      const auto frame_width = in.little(2), frame_height = in.little(2), frame_flags = in.byte();
      in.take(color_table(frame_flags));
      const auto code_size = in.byte();
      sub_blocks(in);
      if (code_size < 1 || code_size > 11 || !found.frame(frame_width, frame_height) || ++frames > max_frames) return false;
    } else {
      return false;
    }
    if (!in.ok()) return false;
    if (keep) found.out += begin.substr(0, begin.size() - in.rest().size());
  }
}

// --- WebP

struct Chunk {
  std::string_view type, body, whole;
};

Chunk next_chunk(Cursor& in) {
  const auto begin = in.rest();
  const auto type = in.take(4);
  const auto size = in.little(4);
  const auto body = in.take(size);
  if (size % 2 == 1 && !in.at_end()) in.take(1);  // the last pad byte is often forgotten
  return {type, body, begin.substr(0, begin.size() - in.rest().size())};
}

void append_chunk(std::string& out, const Chunk& chunk) {
  out += chunk.whole;
  if (chunk.whole.size() % 2 == 1) out += '\0';
}

// The size a bitstream says it has; nothing when it is none.
std::optional<std::pair<std::uint32_t, std::uint32_t>> bitstream_size(const Chunk& chunk) {
  Cursor in(chunk.body);
  if (chunk.type == "VP8 ") {
    const auto tag = in.little(3);
    const bool key_frame = (tag & 1) == 0 && in.take(3) == "\x9D\x01\x2A"sv;
    const auto width = in.little(2) & 0x3FFF, height = in.little(2) & 0x3FFF;
    const auto first_partition = tag >> 5;
    if (!key_frame || !in.ok() || first_partition > in.rest().size()) return std::nullopt;
    return std::pair(width, height);
  }
  if (chunk.type == "VP8L") {
    const auto signature = in.byte(), bits = in.little(4);
    if (signature != 0x2F || !in.ok() || bits >> 29 != 0) return std::nullopt;
    return std::pair((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1);
  }
  return std::nullopt;
}

// A frame of an animation: its placement, then alpha and bitstream.
bool animation_frame(const Chunk& chunk, Found& found) {
  Cursor in(chunk.body);
  in.take(6);
  const auto width = in.little(3) + 1, height = in.little(3) + 1;
  in.take(4);
  std::string inner(chunk.body.substr(0, std::min<std::size_t>(16, chunk.body.size())));
  bool stream = false;
  while (in.ok() && !in.at_end()) {
    const auto part = next_chunk(in);
    if (part.type == "ALPH") {
      append_chunk(inner, part);
    } else if (const auto size = bitstream_size(part)) {
      if (std::exchange(stream, true) || *size != std::pair(width, height)) return false;
      append_chunk(inner, part);
    }
  }
  if (!in.ok() || !stream || !found.frame(width, height)) return false;
  found.out += "ANMF";
  append_little(found.out, static_cast<std::uint32_t>(inner.size()), 4);
  found.out += inner;
  return true;
}

bool extended_webp(const Chunk& head, Cursor& in, Found& found) {
  Cursor header(head.body);
  const auto flags = header.byte();
  header.take(3);
  const auto width = header.little(3) + 1, height = header.little(3) + 1;
  if (!header.ok() || head.body.size() != 10 || !found.size(width, height)) return false;
  constexpr std::uint32_t xmp = 0x04, exif = 0x08, animation = 0x02;
  const bool animated = flags & animation;
  const auto at = found.out.size();
  append_chunk(found.out, head);
  std::string orientation;
  std::size_t frames = 0;
  while (in.ok() && !in.at_end()) {
    const auto chunk = next_chunk(in);
    if (!in.ok()) return false;
    if (chunk.type == "ANMF" && animated) {
      if (++frames > max_frames || !animation_frame(chunk, found)) return false;
    } else if ((chunk.type == "VP8 " || chunk.type == "VP8L") && !animated) {
      const auto size = bitstream_size(chunk);
      if (++frames > 1 || !size || *size != std::pair(width, height)) return false;
      append_chunk(found.out, chunk);
    } else if (chunk.type == "ICCP" || (chunk.type == "ANIM" && animated) || (chunk.type == "ALPH" && !animated)) {
      append_chunk(found.out, chunk);
    } else if (chunk.type == "EXIF") {
      auto tiff = chunk.body;
      if (tiff.starts_with("Exif\0\0"sv)) tiff.remove_prefix(6);  // some writers copy a JPEG's segment
      orientation = bare_exif(tiff);
    }
  }
  if (!orientation.empty()) {
    found.out += "EXIF";
    append_little(found.out, static_cast<std::uint32_t>(orientation.size()), 4);
    found.out += orientation;
  }
  found.out[at + 8] = static_cast<char>((flags & ~(xmp | exif)) | (orientation.empty() ? 0 : exif));
  return in.ok() && frames > 0;
}

bool read_webp(std::string_view file, Found& found) {
  Cursor header(file);
  header.take(4);
  const std::size_t size = header.little(4);
  if (size < 12 || size > file.size() - 8) return false;
  Cursor in(file.substr(12, size - 4));
  found.out += file.substr(0, 12);
  const auto first = next_chunk(in);
  if (!in.ok()) return false;
  if (first.type == "VP8X") {
    if (!extended_webp(first, in, found)) return false;
  } else {
    const auto dimensions = bitstream_size(first);
    if (!dimensions || !found.size(dimensions->first, dimensions->second)) return false;
    append_chunk(found.out, first);
  }
  std::string length;
  append_little(length, static_cast<std::uint32_t>(found.out.size() - 8), 4);
  found.out.replace(4, 4, length);
  return true;
}

struct Kind {
  PictureFormat format;
  bool (*begins)(std::string_view file);
  bool (*read)(std::string_view file, Found& found);
};

constexpr Kind kinds[] = {
    {PictureFormat::jpeg, [](std::string_view f) { return f.starts_with("\xFF\xD8\xFF"sv); }, read_jpeg},
    {PictureFormat::png, [](std::string_view f) { return f.starts_with("\x89PNG\r\n\x1A\n"sv); }, read_png},
    {PictureFormat::gif, [](std::string_view f) { return f.starts_with("GIF87a") || f.starts_with("GIF89a"); }, read_gif},
    {PictureFormat::webp, [](std::string_view f) { return f.size() > 12 && f.starts_with("RIFF") && f.substr(8, 4) == "WEBP"; }, read_webp},
};

}  // namespace

std::string_view media_type(PictureFormat format) {
  constexpr std::string_view names[] = {"image/jpeg", "image/png", "image/gif", "image/webp"};
  return names[static_cast<std::size_t>(format)];
}

std::string_view extension(PictureFormat format) {
  constexpr std::string_view names[] = {"jpg", "png", "gif", "webp"};
  return names[static_cast<std::size_t>(format)];
}

Result<Picture> bare_picture(std::string_view file) {
  const auto kind = std::ranges::find_if(kinds, [&](const Kind& each) { return each.begins(file); });
  if (kind == std::end(kinds)) {
    return fail(Code::invalid, "The file is not a picture: JPEG, PNG, GIF and WebP are taken.", "UNKNOWN_PICTURE");
  }
  Found found;
  found.out.reserve(file.size() + 16);
  const bool whole = kind->read(file, found);
  if (found.too_large) {
    return fail(Code::invalid, fmt::format("The picture has more than {} million pixels.", max_pixels / 1'000'000), "PICTURE_TOO_LARGE");
  }
  if (!whole) {
    return fail(Code::invalid, fmt::format("The file begins as {}, but it is damaged or cut off.", media_type(kind->format)), "DAMAGED_PICTURE");
  }
  return Picture{kind->format, found.width, found.height, std::move(found.out)};
}

}  // namespace shop::codec

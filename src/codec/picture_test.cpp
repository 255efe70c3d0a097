#include "codec/picture.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/crc.hpp>

#include "base/time.hpp"

namespace shop::codec {
namespace {

using namespace std::string_view_literals;

std::string big(std::uint32_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255);
  return out;
}

std::string little(std::uint32_t value, int bytes) {
  std::string out;
  for (int shift = 0; shift < 8 * bytes; shift += 8) out += static_cast<char>(value >> shift & 255);
  return out;
}

std::string chunk(std::string_view type, std::string_view body) {
  boost::crc_32_type crc;
  crc.process_bytes(type.data(), type.size());
  crc.process_bytes(body.data(), body.size());
  return big(static_cast<std::uint32_t>(body.size()), 4).append(type).append(body) + big(crc.checksum(), 4);
}

const std::string signature("\x89PNG\r\n\x1A\n");

std::string ihdr(std::uint32_t w, std::uint32_t h) {
  return chunk("IHDR", big(w, 4) + big(h, 4) + std::string("\x08\x02\0\0\0", 5));
}

std::string png(std::uint32_t w = 2, std::uint32_t h = 3, std::string_view extra = {}) {
  return signature + ihdr(w, h) + std::string(extra) + chunk("IDAT", "pixels") + chunk("IEND", {});
}

std::string segment(int marker, std::string_view body) {
  return (std::string("\xFF") + static_cast<char>(marker) + big(static_cast<std::uint32_t>(body.size() + 2), 2)).append(body);
}

std::string sof(std::uint32_t w, std::uint32_t h) {
  return segment(0xC0, "\x08" + big(h, 2) + big(w, 2) + std::string("\x01\x01\x11\0", 4));
}

std::string jpeg(std::string_view extra = {}, std::uint32_t w = 2, std::uint32_t h = 3) {
  return "\xFF\xD8" + segment(0xE0, "JFIF\0\x01\x02\0\0\x01\0\x01\0\0"sv) + std::string(extra) + segment(0xDB, std::string(65, '\1')) + sof(w, h) +
         segment(0xC4, "table") + segment(0xDA, "scan") + std::string("ab\xFF\0cd\xFF\xD0yz", 10) + "\xFF\xD9";
}

std::string exif(std::uint32_t orientation, bool le) {
  const auto n = [&](std::uint32_t v, int b) { return le ? little(v, b) : big(v, b); };
  return std::string("Exif\0\0", 6) + (le ? "II" : "MM") + n(42, 2) + n(8, 4) + n(2, 2) + n(0x010F, 2) + n(2, 2) + n(4, 4) + "cam\0" +
         std::string(1, '\0') + n(0x0112, 2) + n(3, 2) + n(1, 4) + n(orientation, 2) + n(0, 2) + n(0, 4) + "GPS <script>alert(1)</script>";
}

std::string gif(std::string_view extra = {}, std::uint32_t w = 2, std::uint32_t h = 3) {
  return "GIF89a" + little(w, 2) + little(h, 2) + std::string("\x80\0\0", 3) + std::string(6, '\x7F') + std::string(extra) + "," +
         std::string(4, '\0') + little(w, 2) + little(h, 2) + std::string("\0\x02\x02\x44\x01\0", 6) + ";";
}

std::string riff(std::string_view type, std::string_view body) {
  std::string out = std::string(type) + little(static_cast<std::uint32_t>(body.size()), 4) + std::string(body);
  if (body.size() % 2) out += '\0';
  return out;
}

std::string webp(std::string_view chunks) {
  return "RIFF" + little(static_cast<std::uint32_t>(chunks.size() + 4), 4) + "WEBP" + std::string(chunks);
}

std::string vp8(std::uint32_t w = 2, std::uint32_t h = 3) {
  return riff("VP8 ", std::string("\x30\0\0\x9D\x01\x2A", 6) + little(w, 2) + little(h, 2) + "bits!");
}

std::string vp8x(int flags, std::uint32_t w = 2, std::uint32_t h = 3) {
  return riff("VP8X", std::string(1, static_cast<char>(flags)) + std::string(3, '\0') + little(w - 1, 3) + little(h - 1, 3));
}

std::string anmf(std::string_view inner, std::uint32_t w = 2, std::uint32_t h = 3) {
  return riff("ANMF", std::string(6, '\0') + little(w - 1, 3) + little(h - 1, 3) + std::string(4, '\0') + std::string(inner));
}

struct Sample {
  PictureFormat format;
  std::string file;
};

std::vector<Sample> samples() {
  using enum PictureFormat;
  return {{png, codec::png()},
          {jpeg, codec::jpeg()},
          {gif, codec::gif()},
          {webp, codec::webp(vp8())},
          {webp, codec::webp(vp8x(0x10) + riff("ICCP", "icc") + riff("ALPH", "a") + vp8())},
          {webp, codec::webp(vp8x(0x02) + riff("ANIM", "loop..") + anmf(vp8()) + anmf(riff("ALPH", "x") + vp8()))}};
}

TEST(Picture, WhatIsBareStaysByteForByte) {
  for (const auto& [format, file] : samples()) {
    const auto picture = bare_picture(file);
    ASSERT_TRUE(picture) << media_type(format) << picture.error().message;
    EXPECT_EQ(picture->format, format);
    EXPECT_EQ(picture->width, 2u);
    EXPECT_EQ(picture->height, 3u);
    EXPECT_EQ(picture->bytes, file) << media_type(format);
  }
}

TEST(Picture, NothingBehindTheEndSurvives) {
  for (const auto& [format, file] : samples()) {
    for (const auto* tail : {"PK\3\4 archive", "<script>alert(1)</script>", "<?php ?>", "\xFF\xD9", ";"}) {
      const auto picture = bare_picture(file + tail);
      ASSERT_TRUE(picture) << media_type(format);
      EXPECT_EQ(picture->bytes, file);
    }
  }
}

TEST(Picture, ACutFileIsRefusedWhereverItIsCut) {
  for (const auto& [format, file] : samples()) {
    for (std::size_t size = 0; size < file.size(); ++size) EXPECT_FALSE(bare_picture(file.substr(0, size))) << media_type(format) << size;
  }
}

TEST(Picture, MetadataGoes) {
  const std::string script = "<script>alert(1)</script>";
  EXPECT_EQ(bare_picture(png(2, 3,
                             chunk("tEXt", script) + chunk("zTXt", script) + chunk("iTXt", script) + chunk("eXIf", script) +
                                 chunk("tIME", "1234567") + chunk("prVt", script)))
                ->bytes,
            png());
  EXPECT_EQ(bare_picture(jpeg(segment(0xFE, script) + segment(0xE1, "http://ns.adobe.com/xap/1.0/\0" + script) + segment(0xED, script) +
                              segment(0xE0, "JFXX\0" + script) + segment(0xE2, "MPF" + script)))
                ->bytes,
            jpeg());
  const std::string block = std::string(1, static_cast<char>(script.size())) + script + std::string(1, '\0');
  EXPECT_EQ(bare_picture(gif("!\xFE" + block + "!\xFF\x0BXMP DataXMP" + block + "!\x01" + block))->bytes, gif());
  EXPECT_EQ(bare_picture(webp(vp8() + riff("EXIF", script)))->bytes, webp(vp8()));
  EXPECT_EQ(bare_picture(webp(vp8x(0x0C) + vp8() + riff("EXIF", script) + riff("XMP ", script) + riff("hide", script)))->bytes,
            webp(vp8x(0) + vp8()));
  EXPECT_EQ(bare_picture(webp(vp8x(0x02) + riff("ANIM", "loop..") + anmf(riff("hide", script) + vp8())))->bytes,
            webp(vp8x(0x02) + riff("ANIM", "loop..") + anmf(vp8())));
}

TEST(Picture, WhatShowsThePictureStays) {
  const std::string shown = chunk("gAMA", "1234") + chunk("iCCP", "icc") + chunk("PLTE", "abc") + chunk("tRNS", "1");
  EXPECT_EQ(bare_picture(png(2, 3, shown))->bytes, png(2, 3, shown));
  const std::string colours = segment(0xE2, "ICC_PROFILE\0\1\1data"sv) + segment(0xEE, "Adobe\0d\0\0\0\0\1"sv);
  EXPECT_EQ(bare_picture(jpeg(colours))->bytes, jpeg(colours));
  const std::string loop = "!\xFF\x0BNETSCAPE2.0" + std::string("\x03\x01\0\0\0", 5) + std::string("!\xF9\x04\0\0\0\0\0", 8);
  EXPECT_EQ(bare_picture(gif(loop))->bytes, gif(loop));
}

TEST(Picture, OfExifTheOrientationIsKept) {
  for (const bool le : {true, false}) {
    const auto turned = bare_picture(jpeg(segment(0xE1, exif(6, le))));
    ASSERT_TRUE(turned);
    EXPECT_EQ(turned->bytes.find("GPS"), std::string::npos);
    EXPECT_EQ(turned->bytes.find("cam"), std::string::npos);
    const auto at = turned->bytes.find(std::string("\x01\x12\0\x03\0\0\0\x01\0\x06", 10));
    EXPECT_NE(at, std::string::npos);
    EXPECT_EQ(bare_picture(turned->bytes)->bytes, turned->bytes) << "taken in again, it is the same picture";
    EXPECT_EQ(bare_picture(jpeg(segment(0xE1, exif(1, le))))->bytes, jpeg());
    EXPECT_EQ(bare_picture(jpeg(segment(0xE1, exif(99, le))))->bytes, jpeg());
  }
  const std::string tiff = exif(6, true).substr(6), bare("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", 26);
  EXPECT_EQ(bare_picture(png(2, 3, chunk("eXIf", tiff) + chunk("eXIf", tiff)))->bytes, png(2, 3, chunk("eXIf", bare)));
  EXPECT_EQ(bare_picture(png(2, 3, chunk("eXIf", bare)))->bytes, png(2, 3, chunk("eXIf", bare)));
  for (const auto& given : {tiff, exif(6, true)}) {
    EXPECT_EQ(bare_picture(webp(vp8x(0x08) + vp8() + riff("EXIF", given)))->bytes, webp(vp8x(0x08) + vp8() + riff("EXIF", bare)));
  }
  for (std::size_t cut = 0; cut < 40; ++cut) EXPECT_TRUE(bare_picture(jpeg(segment(0xE1, exif(6, true).substr(0, cut))))) << cut;
}

TEST(Picture, SizeIsJudgedFromTheHeader) {
  for (const auto& [w, h] : {std::pair{50'000u, 50'000u}, {40'000'001u, 1u}, {0x7FFFFFFFu, 0x7FFFFFFFu}}) {
    EXPECT_EQ(bare_picture(png(w, h)).error().name, "PICTURE_TOO_LARGE");
  }
  EXPECT_TRUE(bare_picture(png(8000, 5000)));
  EXPECT_EQ(bare_picture(jpeg({}, 50'000, 50'000)).error().name, "PICTURE_TOO_LARGE");
  EXPECT_EQ(bare_picture(gif({}, 50'000, 50'000)).error().name, "PICTURE_TOO_LARGE");
  EXPECT_EQ(bare_picture(webp(vp8(16'383, 16'383))).error().name, "PICTURE_TOO_LARGE");
  EXPECT_EQ(bare_picture(webp(vp8x(2, 1 << 24, 1 << 24) + anmf(vp8()))).error().name, "PICTURE_TOO_LARGE");
  EXPECT_EQ(bare_picture(png(2, 3, chunk("fcTL", std::string(4, '\0') + big(50'000, 4) + big(50'000, 4) + std::string(14, '\0')))).error().name,
            "DAMAGED_PICTURE");
  for (const auto& none : {png(0, 3), png(2, 0), jpeg({}, 0, 3), jpeg({}, 2, 0), gif({}, 0, 3), webp(vp8(0, 3)), png(0xFFFFFFFFu, 1)}) {
    EXPECT_FALSE(bare_picture(none));
  }
}

TEST(Picture, RefusesWhatIsNoPicture) {
  for (const auto& file : {std::string(), std::string("x"), std::string("<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>"),
                           std::string("<?xml version=\"1.0\"?><svg/>"), std::string("<!DOCTYPE html><script>alert(1)</script>"),
                           std::string("%PDF-1.7"), std::string("PK\3\4"), std::string("BM0000"), std::string("II*\0", 4), std::string("MZ\x90"),
                           std::string("\x7F"
                                       "ELF"),
                           std::string("\0\0\0\x20"
                                       "ftypavif",
                                       12),
                           std::string("GIF88a"), std::string("RIFF\4\0\0\0AVI "), " " + png(), "\xEF\xBB\xBF" + png()}) {
    ASSERT_FALSE(bare_picture(file));
    EXPECT_EQ(bare_picture(file).error().name, "UNKNOWN_PICTURE");
  }
}

TEST(Picture, RefusesAStructureThatNoDecoderPromisesToShow) {
  const std::string idat = chunk("IDAT", "x"), end = chunk("IEND", {});
  std::string broken_sum = png();
  broken_sum[broken_sum.size() - 20] ^= 1;
  const std::string two_frames = "\xFF\xD8" + sof(2, 3) + sof(2, 3) + segment(0xDA, "scan") + "ab\xFF\xD9";
  for (const auto& file :
       {broken_sum,
        signature + idat + end,
        signature + ihdr(2, 3) + end,
        signature + ihdr(2, 3) + ihdr(2, 3) + idat + end,
        signature + ihdr(2, 3) + chunk("CgBI", "x") + idat + end,
        signature + ihdr(2, 3) + idat + chunk("gAMA", "1234") + idat + end,
        signature + chunk("IHDR", big(2, 4) + big(3, 4) + std::string("\x08\x03\0\0\0", 5)) + idat + end,  // a palette is missing
        signature + chunk("IHDR", big(2, 4) + big(3, 4) + std::string("\x03\x02\0\0\0", 5)) + idat + end,
        std::string("GIF89a<script>alert(1)</script>;"),
        std::string("GIF89a/*\x10\0\0\0\0*/=1;alert(1);", 26),
        std::string("GIF89a\x02\0\x03\0\0\0\0;", 14),
        std::string("\xFF\xD8\xFF\xE0<?php system($_GET[0]); ?>\xFF\xD9"),
        std::string("\xFF\xD8\xFF\xD9"),
        "\xFF\xD8" + segment(0xDA, "scan") + "ab\xFF\xD9",
        two_frames,
        "\xFF\xD8" + segment(0xC3, "\x08" + big(3, 2) + big(2, 2) + std::string("\x01\x01\x11\0", 4)) + segment(0xDA, "scan") + "ab\xFF\xD9",
        webp(riff("VP8 ", "not a key frame!")),
        webp(riff("VP8L", std::string("\x2F\0\0\0\xE0", 5))),
        webp(riff("EXIF", "x")),
        webp(vp8x(0)),
        webp(vp8x(0) + vp8(4, 4)),
        webp(vp8x(0) + vp8() + vp8()),
        webp(vp8x(2) + anmf(vp8(4, 4))),
        webp(vp8x(2) + anmf("")),
        webp(vp8x(2) + vp8())}) {
    const auto picture = bare_picture(file);
    ASSERT_FALSE(picture) << fmt::format("{}", file.substr(0, 60));
    EXPECT_NE(picture.error().name, "UNKNOWN_PICTURE");
  }
}

// Any change of one byte, and random bytes behind each magic: an answer, and never more than came in (but the orientation).
TEST(Picture, HostileBytesEndInAnAnswer) {
  std::uint32_t state = 12345;
  const auto random = [&] { return state = state * 1664525 + 1013904223, state >> 8; };
  for (const auto& [format, file] : samples()) {
    for (std::size_t i = 0; i < file.size(); ++i) {
      for (const int change : {1, 0x80, 0xFF}) {
        std::string mutant = file;
        mutant[i] = static_cast<char>(mutant[i] ^ change);
        if (const auto picture = bare_picture(mutant)) EXPECT_LE(picture->bytes.size(), file.size() + 16);
      }
    }
    for (int round = 0; round < 500; ++round) {
      std::string mutant = file.substr(0, 12);
      for (int i = 0; i < 200; ++i) mutant += static_cast<char>(random());
      if (const auto picture = bare_picture(mutant)) EXPECT_LE(picture->bytes.size(), mutant.size() + 16);
    }
  }
}

TEST(Picture, ManySmallPiecesCostNoMoreThanTheirBytes) {
  const auto begun = std::chrono::steady_clock::now();
  std::string extra;
  while (extra.size() < 4'000'000) extra += "!\xFE\x01x" + std::string(1, '\0');
  EXPECT_TRUE(bare_picture(gif(extra)));
  std::string segments;
  while (segments.size() < 4'000'000) segments += segment(0xFE, "");
  EXPECT_TRUE(bare_picture(jpeg(segments)));
  EXPECT_FALSE(bare_picture("\xFF\xD8" + sof(2, 3) + segment(0xDA, "") + std::string(5'000'000, '\xFF')));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(10));
}

}  // namespace
}  // namespace shop::codec

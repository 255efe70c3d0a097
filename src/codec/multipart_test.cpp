#include "codec/multipart.hpp"

#include <gtest/gtest.h>

namespace shop::codec {
namespace {

constexpr std::string_view type = "multipart/form-data; boundary=XyZ";

std::string part(std::string_view fields, std::string_view bytes) {
  return fmt::format("--XyZ\r\n{}\r\n\r\n{}\r\n", fields, bytes);
}

std::string file_part(std::string_view bytes) {
  return part("Content-Disposition: form-data; name=\"imageFile\"; filename=\"a.png\"", bytes);
}

TEST(Multipart, ReadsFieldsAndFiles) {
  const auto body =
      part("content-disposition: form-data; name=note", "hello\r\nyou") +
      part("Content-Disposition: form-data; name=\"imageFile\"; filename=\"a \\\"b\\\"; c.png\"\r\nContent-Type: image/png", "\r\n--Xy\0--") +
      "--XyZ--\r\n";
  const auto parts = parse_multipart(R"(Multipart/Form-Data; charset=utf-8; boundary="XyZ")", body);
  ASSERT_TRUE(parts) << parts.error().message;
  ASSERT_EQ(parts->size(), 2);
  EXPECT_EQ((*parts)[0].name, "note");
  EXPECT_FALSE((*parts)[0].filename);
  EXPECT_EQ((*parts)[0].bytes, "hello\r\nyou");
  EXPECT_EQ((*parts)[1].filename, "a \"b\"; c.png");
  EXPECT_EQ((*parts)[1].content_type, "image/png");
  EXPECT_EQ((*parts)[1].bytes, "\r\n--Xy");
}

TEST(Multipart, KeepsBytesThatLookLikeItsOwn) {
  const std::string bytes("\r\n--XyY\r\n--Xy\r\n\0\r\n-", 20);
  const auto body = file_part(bytes) + "--XyZ--";
  const auto parts = parse_multipart(type, body);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->front().bytes, bytes);
}

TEST(Multipart, AnEmptyFormHasNoParts) {
  EXPECT_TRUE(parse_multipart(type, "--XyZ--\r\n")->empty());
}

TEST(Multipart, RefusesOtherTypesAndBoundaries) {
  const auto body = file_part("x") + "--XyZ--\r\n";
  for (const std::string_view bad :
       {"", "image/png", "multipart/mixed; boundary=XyZ", "multipart/form-data", "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=XyZ; boundary=ab", "multipart/form-data; boundary=\"XyZ",
        "multipart/form-data; boundary=\"Xy\r\n\"", "multipart/form-data; boundary XyZ", "multipart/form-datax; boundary=XyZ",
        "multipart/form-data; boundary=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    EXPECT_FALSE(parse_multipart(bad, body)) << bad;
  }
}

TEST(Multipart, RefusesWhatIsNotWellFormed) {
  const std::string good = file_part("x") + "--XyZ--\r\n";
  ASSERT_TRUE(parse_multipart(type, good));
  for (std::size_t cut = 0; cut < good.size() - 2; ++cut) EXPECT_FALSE(parse_multipart(type, good.substr(0, cut))) << cut;
  for (const auto& bad : {"preamble\r\n" + good, good + "epilogue", good + good, "\r\n" + good, std::string("--XyZ\n\n--XyZ--"),
                          part("Content-Type: image/png", "x") + "--XyZ--", part("", "x") + "--XyZ--",
                          part("Content-Disposition: attachment; name=\"imageFile\"; filename=\"a\"", "x") + "--XyZ--",
                          part("Content-Disposition: form-data; filename=\"a\"", "x") + "--XyZ--",
                          part("Content-Disposition: form-data; name=\"a\"; name=\"b\"", "x") + "--XyZ--",
                          part("Content-Disposition: form-data; name=\"a", "x") + "--XyZ--",
                          part("Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"", "x") + "--XyZ--",
                          part("Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64", "eA==") + "--XyZ--",
                          part("Content-Disposition: form-data; name=\"a\"\r\n folded: x", "x") + "--XyZ--",
                          part("Content-Disposition : form-data; name=\"a\"", "x") + "--XyZ--",
                          part("Content-Disposition: form-data; name=\"" + std::string(200, 'a') + "\"", "x") + "--XyZ--",
                          part("Content-Disposition: form-data; name=\"a\"\r\nX: " + std::string(5000, 'a'), "x") + "--XyZ--"}) {
    EXPECT_FALSE(parse_multipart(type, bad)) << bad.substr(0, 200);
  }
}

TEST(Multipart, CountsItsParts) {
  std::string body;
  for (int i = 0; i < 3; ++i) body += file_part("x");
  body += "--XyZ--";
  EXPECT_TRUE(parse_multipart(type, body, 3));
  EXPECT_FALSE(parse_multipart(type, body, 2));
}

}  // namespace
}  // namespace shop::codec

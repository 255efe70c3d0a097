#include "base/text.hpp"

#include <gtest/gtest.h>

#include "base/context.hpp"
#include "base/http.hpp"
#include "base/id.hpp"
#include "base/time.hpp"

namespace shop {
namespace {

TEST(Utf8, CountsCodePointsAndRefusesWhatIsNone) {
  EXPECT_EQ(utf8_length("é漢😀a"), 4);
  EXPECT_EQ(utf8_length(""), 0);
  for (const std::string_view bad : {"\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "a\xc3", "\x80"}) {
    EXPECT_EQ(utf8_length(bad), -1);
  }
  EXPECT_EQ(utf8_length(std::string_view("a\0b", 3)), -1);
}

TEST(Utf8, CutsBetweenCodePoints) {
  EXPECT_EQ(utf8_prefix("aé漢", 2), "a");
  EXPECT_EQ(utf8_prefix("aé漢", 3), "aé");
  EXPECT_EQ(utf8_prefix("aé", 99), "aé");
}

TEST(Fold, TakesCaseAndMarksAway) {
  EXPECT_EQ(fold("ÉTÉ à Noël"), "ete a noel");
  EXPECT_EQ(fold("Straße"), "strasse");
  EXPECT_EQ(fold("ﬁn"), "fin");
  EXPECT_EQ(fold("هَاتِف"), "هاتف");
  EXPECT_EQ(fold("İstanbul"), fold("i̇stanbul"));
}

TEST(AsText, WhatIsNoUtf8IsMarked) {
  for (const auto* text : {"", "plain", "été 漢 🙂"}) EXPECT_EQ(as_text(text), text);
  EXPECT_EQ(as_text("caf\xe9!"), "caf\uFFFD!");
  EXPECT_EQ(as_text("\xff\xfe"), "\uFFFD\uFFFD");
  EXPECT_EQ(as_text(std::string_view("é漢").substr(0, 4)), "é\uFFFD");  // cut in the middle of a letter
  EXPECT_EQ(as_text(std::string_view("a\0b", 3)), std::string_view("a\0b", 3));
  for (const auto* bytes : {"\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\x80"}) EXPECT_GE(utf8_length(as_text(bytes)), 0);
}

TEST(Email, AcceptsAndRefuses) {
  for (const auto* good : {"a@b.cd", "first.last+tag@sub.example.org", "o'neil@example.com", "é@example.com"}) EXPECT_TRUE(Email::parse(good)) << good;
  for (const auto* bad : {"", "a", "a@", "@b.cd", "a@b", "a@@b.cd", "a b@c.de", "a@b..cd", "a@.cd", "a@b.cd.", "a@b c.de", "a\n@b.cd", "\"a\"@b.cd"}) {
    EXPECT_FALSE(Email::parse(bad)) << bad;
  }
  EXPECT_FALSE(Email::parse(std::string(250, 'a') + "@b.cd"));
  EXPECT_EQ(Email{"A@B.Cd"}.key(), "a@b.cd");
  EXPECT_EQ(Email{"ÉTÉ@Exämple.org"}.key(), Email{"été@exÄmple.org"}.key());
  EXPECT_EQ(Email{"e\u0301@b.cd"}.key(), Email{"é@b.cd"}.key());  // one letter, two spellings
  EXPECT_EQ(Email{"ΣΟΣ@b.cd"}.key(), Email{"σος@b.cd"}.key());
  EXPECT_NE(Email{"é@b.cd"}.key(), Email{"e@b.cd"}.key());
}

TEST(Password, CountsBytes) {
  EXPECT_FALSE(Password::parse("12345"));
  EXPECT_TRUE(Password::parse("123456"));
  EXPECT_TRUE(Password::parse(std::string(72, 'x')));
  EXPECT_FALSE(Password::parse(std::string(73, 'x')));
  EXPECT_FALSE(Password::parse("漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢漢"));
}

TEST(Url, HasNothingThatABrowserWouldRun) {
  for (const auto* good : {"/images/x.png", "http://a/b", "https://a.b/c?d=e", "/shop/all", "/"}) EXPECT_TRUE(Url::parse(good)) << good;
  for (const auto* bad : {"", "http://", "javascript:alert(1)", "//evil.example", "data:text/html,x", "ftp://a", "/a b", "x"}) {
    EXPECT_FALSE(Url::parse(bad)) << bad;
  }
}

TEST(Language, IsTheFirstTwoLettersOfTheFirstEntry) {
  EXPECT_EQ(language_of("fr-CA,en;q=0.8"), "fr");
  EXPECT_EQ(language_of(" AR"), "ar");
  for (const auto* none : {"", "*", "x", "1f", "-"}) EXPECT_EQ(language_of(none), "en") << none;
  EXPECT_EQ(localised({{"en", "a"}, {"fr", "b"}}, "fr"), "b");
  EXPECT_EQ(localised({{"en", "a"}, {"fr", "b"}}, "de"), "a");
  EXPECT_EQ(localised({{"fr", "b"}}, "de"), "b");
  EXPECT_EQ(localised({}, "de"), "");
}

TEST(Uuid, RoundTripsAndRefuses) {
  EXPECT_EQ(Uuid::parse("01A208A4-6bc7-75c4-ae2e-8ab089936a91")->text(), "01a208a4-6bc7-75c4-ae2e-8ab089936a91");
  for (const auto* bad : {"", "01a208a4-6bc7-75c4-ae2e-8ab089936a9", "01a208a46bc775c4ae2e8ab089936a91", "g1a208a4-6bc7-75c4-ae2e-8ab089936a91",
                          "01a208a4-6bc7-75c4-ae2e_8ab089936a91", "01a208a4-6bc7-75c4-ae2e-8ab089936a911"}) {
    EXPECT_FALSE(Uuid::parse(bad)) << bad;
  }
}

TEST(Instant, ReadsAndWritesIso8601) {
  const auto text_of = [](std::string_view text) {
    const auto at = Instant::parse(text);
    return at ? at->text() : "refused";
  };
  EXPECT_EQ(text_of("2025-09-02T19:41:22.777Z"), "2025-09-02T19:41:22.777Z");
  EXPECT_EQ(text_of("2025-09-02T21:41:22+02:00"), "2025-09-02T19:41:22.000Z");
  EXPECT_EQ(text_of("2025-09-02T19:41:22.7Z"), "2025-09-02T19:41:22.700Z");
  EXPECT_EQ(text_of("2024-02-29"), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(text_of("1960-01-01T00:00:00.001Z"), "1960-01-01T00:00:00.001Z");
  for (const auto* bad : {"", "2025-02-29", "2025-9-2", "2025-09-02T24:00:00Z", "2025-09-02T19:41:22", "2025-09-02 19:41:22Z", "0000-01-01",
                          "2025-09-02T19:41:22.Z", "2025-13-01", "now"}) {
    EXPECT_EQ(text_of(bad), "refused") << bad;
  }
  EXPECT_EQ(http_date(Instant{784111777000}), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(Trace, IsW3cTraceContext) {
  Trace trace;
  ASSERT_TRUE(Trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", trace));
  EXPECT_EQ(trace.traceparent(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  EXPECT_EQ(trace.trace_text(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_TRUE(Trace::parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-brings", trace));
  for (const auto* bad : {"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                          "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"}) {
    EXPECT_FALSE(Trace::parse(bad, trace)) << bad;
  }
}

TEST(Query, IsDecodedPairByPair) {
  const auto pairs = query_pairs("a=1&b=%C3%A9+x&c&=&d=%zz&&a=2");
  ASSERT_EQ(pairs.size(), 6U);
  EXPECT_EQ(pairs[1], (std::pair<std::string, std::string>("b", "é x")));
  EXPECT_EQ(pairs[2], (std::pair<std::string, std::string>("c", "")));
  EXPECT_EQ(pairs[4].second, "%zz");
  EXPECT_EQ(query_pairs(std::string(1000, '&') + "a=1", 5).size(), 1U);
  EXPECT_EQ(percent_decoded(percent_encoded("a/b é%"), false), "a/b é%");
}

TEST(Headers, CompareWithoutRegardToCase) {
  Headers headers;
  headers.add("Content-Type", "a");
  headers.add("X", "1");
  headers.add("x", "2");
  EXPECT_EQ(headers.get("content-type"), "a");
  EXPECT_EQ(headers.get("X"), "1");
  headers.set("X", "3");
  EXPECT_EQ(headers.get("x"), "3");
  EXPECT_EQ(headers.size(), 2U);
  headers.remove("X");
  EXPECT_FALSE(headers.has("x"));
}

}  // namespace
}  // namespace shop

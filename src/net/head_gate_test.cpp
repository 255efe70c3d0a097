#include "net/head_gate.hpp"

#include <string>

#include <gtest/gtest.h>

namespace shop::net {
namespace {

using namespace std::string_literals;

std::string head(const std::string& line = "GET /a HTTP/1.1", const std::string& fields = "Host: a.test\r\n") { return line + "\r\n" + fields + "\r\n"; }
std::string with(const std::string& fields) { return head("POST /a HTTP/1.1", "Host: a.test\r\n" + fields); }

TEST(HeadGate, LegalHeadsPass) {
  for (const auto& text :
       {head(), head("GET / HTTP/1.0"), head("OPTIONS * HTTP/1.1"), head("GET /a?b=%2f&c[]=../.. HTTP/1.1"), head("GET http://a.test/a HTTP/1.1"),
        head("GET http://A.TEST HTTP/1.1"), head("GET /a/...hidden/x..y/.z HTTP/1.1"), head("BREW /a HTTP/1.1"), head("GET /a;b=c/d HTTP/1.1"),
        head("GET /a HTTP/1.1", "host:a.test:80\r\n"), head("GET /a HTTP/1.1", "Host: [2001:db8::1]:3000\r\n"),
        with("Content-Length: 0\r\n"), with("content-length:\t007 \r\n"), with("Transfer-Encoding: chunked\r\n"), with("TRANSFER-ENCODING:chunked\r\n"),
        with("X-Empty:\r\n"), with("X-A: \xe9\xff\r\n"), with("X_Custom: 1\r\n"), with("Hosts: a\r\nX-Host: b\r\n"), with("Content-Lengths: a\r\n")}) {
    const auto reason = refuse_head(text);
    EXPECT_FALSE(reason) << *reason << " in " << text;
  }
}

TEST(HeadGate, RequestLinesThatTwoServersReadDifferentlyAreRefused) {
  for (const auto& line :
       {"GET  /a HTTP/1.1"s, "GET /a  HTTP/1.1"s, "GET /a HTTP/1.1 "s, " GET /a HTTP/1.1"s, "GET\t/a HTTP/1.1"s, "GET /a"s, "GET /a HTTP/0.9"s,
        "GET /a HTTP/1.2"s, "GET /a HTTP/1.32"s, "GET /a HTTP/2.0"s, "GET /a http/1.1"s, "GET /a b HTTP/1.1"s, "GE(T /a HTTP/1.1"s, "CONNECT /a HTTP/1.1"s,
        "CONNECT a.test:1 HTTP/1.1"s, "GET a HTTP/1.1"s, "GET * HTTP/1.1"s, "GET /a\0b HTTP/1.1"s, "GET /\xc3\xa9 HTTP/1.1"s, "GET /a#b HTTP/1.1"s,
        "GET /a\\b HTTP/1.1"s, "GET http://b.test/a HTTP/1.1"s, "GET http://a.test@b.test/ HTTP/1.1"s, "GET http:///a HTTP/1.1"s,
        "GET HTTP://b.test/a HTTP/1.1"s, "GET ftp://a.test/a HTTP/1.1"s, "GET /a\nHTTP/1.1"s, "GET /a\rHTTP/1.1"s, "PRI * HTTP/2.0"s, ""s, " "s}) {
    EXPECT_TRUE(refuse_head(head(line))) << line;
  }
  EXPECT_TRUE(refuse_head(head(std::string(30, 'G') + " /a HTTP/1.1")));
}

TEST(HeadGate, FieldsThatTwoServersReadDifferentlyAreRefused) {
  for (const auto& fields :
       {"X-A : 1\r\n"s, "X A: 1\r\n"s, ": 1\r\n"s, "X-A\r\n"s, " X-A: 1\r\n"s, "\tX-A: 1\r\n"s, "X-A: 1\r\n 2\r\n"s, "X-A: a\0b\r\n"s, "X-A: a\x7f\r\n"s,
        "X-A: a\rb\r\n"s, "X-A: a\nb\r\n"s, "X-\xe9: 1\r\n"s, "Host: a.test\r\n"s, "HOST: b.test\r\n"s, "Content_Length: 1\r\n"s, "content_length: 1\r\n"s,
        "Transfer_Encoding: chunked\r\n"s, "Content-Length: 1\r\nContent-Length: 1\r\n"s, "Content-Length: 1, 1\r\n"s, "Content-Length: +1\r\n"s,
        "Content-Length: -1\r\n"s, "Content-Length: 0x1\r\n"s, "Content-Length: 1_0\r\n"s, "Content-Length: 1 1\r\n"s, "Content-Length:\r\n"s,
        "Content-Length: 99999999999999999999\r\n"s, "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"s,
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"s,
        "Transfer-Encoding: xchunked\r\n"s, "Transfer-Encoding: Chunked\r\n"s, "Transfer-Encoding: identity\r\n"s, "Transfer-Encoding: identity, chunked\r\n"s,
        "Transfer-Encoding: chunked, chunked\r\n"s, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"s, "Transfer-Encoding: chunked,\r\n"s,
        "Transfer-Encoding: \"chunked\"\r\n"s, "Transfer-Encoding: \x0b" "chunked\r\n"s, "Transfer-Encoding:\r\n"s}) {
    EXPECT_TRUE(refuse_head(with(fields))) << fields;
  }
  EXPECT_TRUE(refuse_head(head("POST /a HTTP/1.0", "Host: a.test\r\nTransfer-Encoding: chunked\r\n")));
}

TEST(HeadGate, HostMustBeThereOnceAndBeOne) {
  for (const auto& fields : {""s, "Host:\r\n"s, "Host: a.test, b.test\r\n"s, "Host: a.test b.test\r\n"s, "Host: a.test/x\r\n"s, "Host: u@a.test\r\n"s,
                             "Host: " + std::string(300, 'a') + "\r\n"}) {
    EXPECT_TRUE(refuse_head(head("GET /a HTTP/1.1", fields))) << fields;
    EXPECT_TRUE(refuse_head(head("GET /a HTTP/1.0", fields))) << fields;
  }
}

TEST(HeadGate, HeadsThatDoNotEndAreRefused) {
  for (const auto& text : {""s, "GET / HTTP/1.1"s, "GET / HTTP/1.1\r\n"s, "GET / HTTP/1.1\r\nHost: a\r\n"s, head() + "x", "\r\n" + head()}) {
    EXPECT_TRUE(refuse_head(text)) << text;
  }
  std::string many = "Host: a.test\r\n";
  for (std::size_t i = 1; i < max_fields; ++i) many += "X-A: 1\r\n";
  EXPECT_FALSE(refuse_head(head("GET /a HTTP/1.1", many)));
  EXPECT_TRUE(refuse_head(head("GET /a HTTP/1.1", many + "X-A: 1\r\n")));
}

TEST(AmbiguousPath, DotSegmentsAndEncodedSlashesInEverySpelling) {
  for (const auto* path : {"/..", "/../a", "/a/..", "/a/../b", "/./a", "/a/.", "/%2e", "/%2e%2e/a", "/.%2E/a", "/a/%2E./b", "/a/..;/b", "/a/.;x/b", "/a%2fb",
                           "/a%2Fb", "/a%5cb", "/a%00", "/a\\b", "/%", "/%4", "/%zz", "/a%"}) {
    EXPECT_TRUE(ambiguous_path(path)) << path;
  }
  for (const auto* path : {"/", "/a", "/a/b.c", "/...", "/a..b", "/..a", "/a/...b/", "/%20", "/%e2%82%ac", "//", "/a//b", "/a;b"}) {
    EXPECT_FALSE(ambiguous_path(path)) << path;
  }
}

TEST(AmbiguousPath, WhereNamesMayHoldSlashesTheyMayBeEncoded) {
  for (const auto* path : {"/a/sku/x%2Fy", "/a/sku/%2fx", "/a/sku/x%5cy", "/a/sku/x%2F", "/a/sku/..x%2F...", "/a/sku/x/y%2Fz"}) {
    EXPECT_FALSE(ambiguous_path(path, "/a/sku/")) << path;
    EXPECT_TRUE(ambiguous_path(path)) << path;
  }
  for (const auto* path : {"/a/sku%2Fx", "/a%2Fsku/x", "/a/SKU/x%2Fy", "/a/skus/x%2Fy", "/b/a/sku/x%2Fy", "/a/%73ku/x%2Fy", "/a/sku/..%2Fx", "/a/sku/x%2F..",
                           "/a/sku/x%2F%2e%2e%2Fy", "/a/sku/%2e%5Cx", "/a/sku/x%2F..;/y", "/a/sku/x%00", "/a/sku/x%2", "/a/sku/../x%2Fy", "/a/sku/x\\y"}) {
    EXPECT_TRUE(ambiguous_path(path, "/a/sku/")) << path;
  }
  EXPECT_FALSE(refuse_head(head("GET /a/sku/x%2Fy HTTP/1.1"), "/a/sku/"));
  EXPECT_FALSE(refuse_head(head("GET http://a.test/a/sku/x%2Fy?b HTTP/1.1"), "/a/sku/"));
  EXPECT_TRUE(refuse_head(head("GET /b/x%2Fy HTTP/1.1"), "/a/sku/"));
}

}  // namespace
}  // namespace shop::net

#include "net/body_reader.hpp"

#include <string>

#include <gtest/gtest.h>

namespace shop::net {
namespace {

struct Outcome {
  std::string body, left;
  bool done = false, broken = false;
};

// Offers the bytes `step` at a time, as a slow connection does, and takes `room` bytes of body at a time.
Outcome read(BodyReader reader, const std::string& bytes, std::size_t step = 0, std::size_t room = 4096) {
  Outcome outcome;
  std::string buffer;
  std::size_t given = 0;
  for (int turns = 0; turns < 100'000 && !reader.done() && !reader.broken(); ++turns) {
    std::string_view in(buffer);
    std::string out(room, '\0');
    const auto got = reader.read(in, out);
    outcome.body.append(out, 0, got);
    buffer.erase(0, buffer.size() - in.size());
    if (got > 0) continue;
    if (reader.done() || reader.broken() || given == bytes.size()) break;
    const auto more = std::min(step == 0 ? bytes.size() : step, bytes.size() - given);
    buffer.append(bytes, given, more);
    given += more;
  }
  outcome.left = buffer + bytes.substr(given);
  outcome.done = reader.done();
  outcome.broken = reader.broken();
  return outcome;
}

TEST(BodyReader, NoBodyIsDoneAtOnce) { EXPECT_TRUE(BodyReader().done()); EXPECT_TRUE(BodyReader::sized(0).done()); }

TEST(BodyReader, ASizedBodyEndsWhereItSays) {
  for (std::size_t step : {0, 1, 3}) {
    const auto outcome = read(BodyReader::sized(5), "helloGET /", step);
    EXPECT_TRUE(outcome.done);
    EXPECT_EQ(outcome.body, "hello");
    EXPECT_EQ(outcome.left, "GET /");
  }
  EXPECT_FALSE(read(BodyReader::sized(5), "hell").done);
}

TEST(BodyReader, ChunksAreJoinedExtensionsAndTrailersDropped) {
  const std::string bytes = "5;a=b\r\nhello\r\n006 ; x=\"y;z\"\r\n world\r\n00\r\nX-A: 1\r\nX-B:\r\n\r\nGET /";
  for (std::size_t step : {0, 1, 2, 7}) {
    for (std::size_t room : {1, 4, 4096}) {
      const auto outcome = read(BodyReader::chunked(), bytes, step, room);
      EXPECT_TRUE(outcome.done) << step << ' ' << room;
      EXPECT_EQ(outcome.body, "hello world");
      EXPECT_EQ(outcome.left, "GET /");
    }
  }
}

TEST(BodyReader, WhatTwoServersCouldCutDifferentlyIsBroken) {
  using namespace std::string_literals;
  const std::string tail = "\r\nhi\r\n0\r\n\r\n";
  for (const auto& bytes : {"0x2"s + tail, "+2"s + tail, "-2"s + tail, " 2"s + tail, "2 "s + "x" + tail, "zz"s + tail, "0_2"s + tail, "2\0"s + tail,
                            "0000000000000002"s + tail, "\r\nhi"s, "2\nhi\r\n0\r\n\r\n"s, "2\rhi\r\n0\r\n\r\n"s, "2;a\nb"s + tail, "2;a\rb"s + tail,
                            "2;\x01"s + tail, "2\r\nhi0\r\n\r\n"s, "2\r\nhi\n0\r\n\r\n"s, "2\r\nhi\r0\r\n\r\n"s, "2\r\nhi\r\n0\r\nX-A\r\n\r\n"s,
                            "2\r\nhi\r\n0\r\nX-A: 1\r\n 2\r\n\r\n"s, "2\r\nhi\r\n0\r\nX-A: 1\n\r\n\r\n"s, "2\r\nhi\r\n0\r\nX A: 1\r\n\r\n"s,
                            "2\r\nhi\r\n0\r\nX-A : 1\r\n\r\n"s, "2\r\nhi\r\n0\r\n: 1\r\n\r\n"s}) {
    for (std::size_t step : {0, 1}) {
      const auto outcome = read(BodyReader::chunked(), bytes, step);
      EXPECT_TRUE(outcome.broken) << bytes;
      EXPECT_FALSE(outcome.done) << bytes;
    }
  }
}

TEST(BodyReader, EndlessLinesAndTrailersAreBroken) {
  EXPECT_TRUE(read(BodyReader::chunked(), "1;" + std::string(5000, 'a'), 100).broken);
  EXPECT_TRUE(read(BodyReader::chunked(), std::string(5000, '0'), 100).broken);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 2000; ++i) trailers += "X-A: 1\r\n";
  EXPECT_TRUE(read(BodyReader::chunked(), trailers, 1000).broken);
  EXPECT_TRUE(read(BodyReader::chunked(), "0\r\nX-A: " + std::string(20'000, 'a'), 1000).broken);
}

}  // namespace
}  // namespace shop::net

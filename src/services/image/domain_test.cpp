#include "services/image/domain.hpp"

#include <gtest/gtest.h>

namespace shop::image {
namespace {

TEST(PictureName, IsOneFormOnly) {
  const std::string good = "7fa1ee8b-c13d-4cd6-b9e9-3b51aac31a47.png";
  ASSERT_TRUE(PictureName::parse(good));
  EXPECT_EQ(PictureName::parse(good)->text(), good);
  for (const std::string_view bad :
       {"", ".", "..", "a.png", "7fa1ee8b-c13d-4cd6-b9e9-3b51aac31a47", "7fa1ee8b-c13d-4cd6-b9e9-3b51aac31a47.",
        "7fa1ee8b-c13d-4cd6-b9e9-3b51aac31a47.svg", "7fa1ee8b-c13d-4cd6-b9e9-3b51aac31a47.png.html", "7fa1ee8b-c13d-4cd6-b9e9-3b51aac31a47.PNG",
        "7FA1EE8B-c13d-4cd6-b9e9-3b51aac31a47.png", "../7fa1ee8b-c13d-4cd6-b9e9-3b51aac31a47.png", "7fa1ee8b-c13d-4cd6-b9e9-3b51aac31a47.png/",
        "7fa1ee8bc13d4cd6b9e93b51aac31a47.png"}) {
    EXPECT_FALSE(PictureName::parse(bad)) << bad;
  }
  EXPECT_FALSE(PictureName::parse(std::string_view("7fa1ee8b-c13d-4cd6-b9e9-3b51aac31a47.png\0", 41)));
}

TEST(PictureName, ComesFromTheContent) {
  const std::string sum(32, '\xFF');
  EXPECT_EQ(name_for(codec::PictureFormat::jpeg, sum).text(), "ffffffff-ffff-8fff-bfff-ffffffffffff.jpg");
  EXPECT_EQ(etag_of(name_for(codec::PictureFormat::jpeg, sum)), "\"ffffffff-ffff-8fff-bfff-ffffffffffff\"");
}

TEST(Range, ReadsOneRange) {
  EXPECT_EQ(wanted_of("bytes=0-0", 10), Wanted(Piece{0, 1}));
  EXPECT_EQ(wanted_of("bytes=2-5", 10), Wanted(Piece{2, 4}));
  EXPECT_EQ(wanted_of("Bytes=2-", 10), Wanted(Piece{2, 8}));
  EXPECT_EQ(wanted_of("bytes=2-99", 10), Wanted(Piece{2, 8}));
  EXPECT_EQ(wanted_of("bytes=-3", 10), Wanted(Piece{7, 3}));
  EXPECT_EQ(wanted_of("bytes=-99", 10), Wanted(Piece{0, 10}));
  EXPECT_EQ(wanted_of("bytes=9-18446744073709551615", 10), Wanted(Piece{9, 1}));
}

TEST(Range, WhatCannotBeSatisfied) {
  for (const auto* text : {"bytes=10-", "bytes=10-12", "bytes=99-", "bytes=-0"}) EXPECT_EQ(wanted_of(text, 10), Wanted(Unsatisfiable{})) << text;
  EXPECT_EQ(wanted_of("bytes=0-", 0), Wanted(Unsatisfiable{}));
  EXPECT_EQ(wanted_of("bytes=-5", 0), Wanted(Unsatisfiable{}));
}

TEST(Range, AnythingElseAsksForTheWhole) {
  for (const auto* text : {"", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=1-2,4-5", "items=0-1", "bytes=+1-2", "bytes=1--2",
                           "bytes=99999999999999999999-", "bytes=1 - 2", "bytes=0x1-2"}) {
    EXPECT_EQ(wanted_of(text, 10), Wanted(Whole{})) << text;
  }
}

}  // namespace
}  // namespace shop::image

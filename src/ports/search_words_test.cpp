#include "ports/search_words.hpp"

#include <gtest/gtest.h>

namespace shop {
namespace {

using Words = std::vector<std::string>;

TEST(SearchWords, AreRunsOfLettersAndDigits) {
  EXPECT_EQ(search_words("SM-S928B-256, l'Été_2.5\" (œuvre)"), (Words{"sm", "s928b", "256", "l", "ete", "2", "5", "oeuvre"}));
  EXPECT_EQ(search_words(" -- !? "), Words{});
  EXPECT_EQ(search_words("Smørrebrød Łódź Straße"), (Words{"smorrebrod", "lodz", "strasse"}));
}

TEST(SearchWords, KnowArabicSpellings) {
  EXPECT_EQ(search_words("دراجة"), search_words("دراجه"));
  EXPECT_EQ(search_words("أَحْمَر"), search_words("احمر"));
  EXPECT_EQ(search_words("مستشفى"), search_words("مستشفي"));
  EXPECT_EQ(search_words("هـــاتف ٢٥٦"), (Words{"هاتف", "256"}));
}

TEST(SearchWords, OneHanLetterIsAWord) { EXPECT_EQ(search_words("自転車a"), (Words{"自", "転", "車", "a"})); }

TEST(SearchWords, AreCutAndCounted) {
  EXPECT_EQ(search_words(std::string(100, 'x')), (Words{std::string(max_word_letters, 'x')}));
  EXPECT_EQ(query_words("a b a"), (Words{"a", "b"}));
  std::string many;
  for (char c = 'a'; c <= 'z'; ++c) (many += c) += ' ';
  EXPECT_EQ(query_words(many).size(), max_query_words);
}

TEST(SearchWords, ToleranceGrowsWithLength) {
  EXPECT_EQ(tolerated_edits(2), 0);
  EXPECT_EQ(tolerated_edits(3), 1);
  EXPECT_EQ(tolerated_edits(5), 1);
  EXPECT_EQ(tolerated_edits(6), 2);
}

// The textbook's table, without its limits.
int distance(const std::u32string& a, const std::u32string& b) {
  std::vector<std::vector<int>> d(a.size() + 1, std::vector<int>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = static_cast<int>(i + j);
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

TEST(WithinEdits, AgreesWithTheWholeTable) {
  std::uint32_t state = 7;
  const auto next = [&](std::uint32_t below) { return (state = state * 1664525 + 1013904223) / 65536 % below; };
  const auto word = [&] {
    std::u32string out;
    for (auto letters = next(9); letters > 0; --letters) out += static_cast<char32_t>(U'a' + next(3));
    return out;
  };
  int near = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto a = word(), b = word();
    for (int edits = 0; edits <= 2; ++edits) {
      ASSERT_EQ(within_edits(a, b, edits), distance(a, b) <= edits);
      near += within_edits(a, b, edits);
    }
  }
  EXPECT_GT(near, 1000);
}

TEST(WithinEdits, CountsLettersAndExchanges) {
  EXPECT_TRUE(within_edits(U"galaxy", U"glaaxy", 1));
  EXPECT_TRUE(within_edits(letters_of("دراجه"), letters_of("دراحه"), 1));
  EXPECT_FALSE(within_edits(U"wheel", U"steel", 1));
}

}  // namespace
}  // namespace shop

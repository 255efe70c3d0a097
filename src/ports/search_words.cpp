#include "ports/search_words.hpp"

#include <algorithm>
#include <array>

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include "base/text.hpp"

namespace shop {
namespace {

struct Replacement {
  UChar32 from;
  std::string_view to;
};

// What compatibility decomposition leaves apart. In the order of code points.
constexpr std::array replacements{
    Replacement{0xE6, "ae"},   Replacement{0xF0, "d"},     Replacement{0xF8, "o"},     Replacement{0xFE, "th"},    Replacement{0x111, "d"},
    Replacement{0x127, "h"},   Replacement{0x131, "i"},    Replacement{0x142, "l"},    Replacement{0x153, "oe"},   Replacement{0x629, "\u0647"},
    Replacement{0x640, ""},    Replacement{0x649, "\u064A"},
};

void append(std::string& out, UChar32 c) {
  char bytes[U8_MAX_LENGTH];
  std::int32_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, c);
  out.append(bytes, static_cast<std::size_t>(size));
}

bool stands_alone(UChar32 c) {
  if (c < 0x2E80) return false;
  UErrorCode status = U_ZERO_ERROR;
  const auto script = uscript_getScript(c, &status);
  return script == USCRIPT_HAN || script == USCRIPT_HIRAGANA;
}

class Collector {
 public:
  void add(UChar32 c) {
    if (c < 0x80) {
      append_letter(c);
      return;
    }
    const auto known = std::ranges::lower_bound(replacements, c, {}, &Replacement::from);
    if (known != replacements.end() && known->from == c) {
      for (const auto letter : letters_of(known->to)) append_letter(static_cast<UChar32>(letter));
    } else if (const auto digit = u_charDigitValue(c); digit >= 0) {
      append_letter('0' + digit);
    } else {
      append_letter(c);
    }
  }

  void end_word() {
    if (letters_ > 0) words.push_back(std::move(word_));
    word_.clear();
    letters_ = 0;
  }

  std::vector<std::string> words;

 private:
  void append_letter(UChar32 c) {
    const bool alone = stands_alone(c);
    if (alone) end_word();
    if (letters_ < max_word_letters) {
      append(word_, c);
      ++letters_;
    }
    if (alone) end_word();
  }

  std::string word_;
  std::size_t letters_ = 0;
};

}  // namespace

std::vector<std::string> search_words(std::string_view text) {
  const auto folded = fold(text);
  Collector collector;
  const auto size = static_cast<std::int32_t>(folded.size());
  for (std::int32_t i = 0; i < size;) {
    UChar32 c;
    U8_NEXT(folded.data(), i, size, c);
    if (c >= 0 && u_isalnum(c)) collector.add(c);
    else if (c < 0 || (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_CF_MASK)) == 0) collector.end_word();  // joiners do not part
  }
  collector.end_word();
  return std::move(collector.words);
}

std::vector<std::string> query_words(std::string_view text) {
  std::vector<std::string> distinct;
  for (auto& word : search_words(text)) {
    if (distinct.size() == max_query_words) break;
    if (std::ranges::find(distinct, word) == distinct.end()) distinct.push_back(std::move(word));
  }
  return distinct;
}

int tolerated_edits(std::size_t letters) { return letters < 3 ? 0 : letters < 6 ? 1 : 2; }

std::u32string letters_of(std::string_view utf8) {
  std::u32string letters;
  letters.reserve(utf8.size());
  const auto size = static_cast<std::int32_t>(utf8.size());
  for (std::int32_t i = 0; i < size;) {
    UChar32 c;
    U8_NEXT_OR_FFFD(utf8.data(), i, size, c);
    letters.push_back(static_cast<char32_t>(c));
  }
  return letters;
}

// The table of optimal string alignment, three rows of it. A row is reached from the one above, or by an exchange from the
// one above that: when neither leaves hope, it ends.
bool within_edits(std::u32string_view a, std::u32string_view b, int edits) {
  const auto longer = std::max(a.size(), b.size()), shorter = std::min(a.size(), b.size());
  if (longer - shorter > static_cast<std::size_t>(edits)) return false;
  if (edits == 0 || longer > max_word_letters) return a == b;
  std::array<std::array<int, max_word_letters + 1>, 3> table;
  for (std::size_t j = 0; j <= b.size(); ++j) table[0][j] = static_cast<int>(j);
  int least_above = 0;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = table[i % 3];
    const auto& above = table[(i + 2) % 3];
    const auto& exchanged = table[(i + 1) % 3];
    int least = row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      int best = std::min({above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) best = std::min(best, exchanged[j - 2] + 1);
      row[j] = best;
      least = std::min(least, best);
    }
    if (least > edits && least_above >= edits) return false;
    least_above = least;
  }
  return table[a.size() % 3][b.size()] <= edits;
}

}  // namespace shop

// What a word is to the search engines: a run of letters and digits without case, accents, marks and spelling variants of
// Latin and Arabic letters ("Été" is "ete", "œuvre" "oeuvre", "دراجة" and "دراجه" are one); each Han or Hiragana letter is a
// word. Engines with an analysis of their own are set up to agree.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shop {

inline constexpr std::size_t max_word_letters = 60;   // longer words are cut
inline constexpr std::size_t max_query_words = 24;    // more are not looked at

std::vector<std::string> search_words(std::string_view text);

// The words of a query, each once.
std::vector<std::string> query_words(std::string_view text);

// How many letters may be wrong in a word of that many: 0 up to 2, 1 up to 5, 2 beyond.
int tolerated_edits(std::size_t letters);

std::u32string letters_of(std::string_view utf8);

// Whether one becomes the other by at most `edits` letters added, left out or replaced, or neighbours exchanged (each letter
// edited once).
bool within_edits(std::u32string_view a, std::u32string_view b, int edits);

}  // namespace shop

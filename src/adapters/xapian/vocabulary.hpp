// The words and names that documents refer to. Both only grow while a generation lives, so that a search with an older view
// of the documents finds all of its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ports/search_words.hpp"

namespace shop::xapian {

// Numbers for strings, in the order they came: category slugs ("C…") and attributes ("A…").
class Names {
 public:
  std::optional<std::uint32_t> find(const std::string& name) const;
  std::uint32_t add(const std::string& name, bool& made);
  std::string text(std::uint32_t number) const;  // empty when there is none
  std::size_t size() const;

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<std::string> names_;
};

// Every word of the index, for typo tolerance.
class Vocabulary {
 public:
  void add(const std::string& word);

  // Words other than `word` that it may be a misspelling of (tolerated_edits); at most `most`.
  std::vector<std::string> near(const std::string& word, std::size_t most) const;

 private:
  struct Entry {
    std::uint64_t letters;  // which occur: a letter's bit is its code modulo 64
    std::string word;
  };
  mutable std::shared_mutex mutex_;
  std::unordered_set<std::string> known_;
  std::array<std::vector<Entry>, max_word_letters + 1> by_length_;
};

}  // namespace shop::xapian

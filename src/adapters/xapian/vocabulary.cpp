#include "adapters/xapian/vocabulary.hpp"

#include <bit>
#include <mutex>

namespace shop::xapian {
namespace {

std::uint64_t occurring(std::u32string_view letters) {
  std::uint64_t bits = 0;
  for (const auto letter : letters) bits |= std::uint64_t{1} << (letter % 64);
  return bits;
}

}  // namespace

std::optional<std::uint32_t> Names::find(const std::string& name) const {
  const std::shared_lock lock(mutex_);
  const auto known = numbers_.find(name);
  return known == numbers_.end() ? std::nullopt : std::optional(known->second);
}

std::uint32_t Names::add(const std::string& name, bool& made) {
  const std::unique_lock lock(mutex_);
  const auto [at, inserted] = numbers_.emplace(name, static_cast<std::uint32_t>(names_.size()));
  if (inserted) names_.push_back(name);
  made = inserted;
  return at->second;
}

std::string Names::text(std::uint32_t number) const {
  const std::shared_lock lock(mutex_);
  return number < names_.size() ? names_[number] : std::string();
}

std::size_t Names::size() const {
  const std::shared_lock lock(mutex_);
  return names_.size();
}

void Vocabulary::add(const std::string& word) {
  {
    const std::shared_lock lock(mutex_);
    if (known_.contains(word)) return;
  }
  const auto letters = letters_of(word);
  if (letters.size() > max_word_letters) return;
  const std::unique_lock lock(mutex_);
  if (known_.insert(word).second) by_length_[letters.size()].push_back({occurring(letters), word});
}

// A letter that is replaced takes at most one bit away and brings one; whoever differs in more cannot be near.
std::vector<std::string> Vocabulary::near(const std::string& word, std::size_t most) const {
  std::vector<std::string> found;
  const auto letters = letters_of(word);
  const auto edits = tolerated_edits(letters.size());
  if (edits == 0 || letters.size() > max_word_letters) return found;
  const auto bits = occurring(letters);
  const std::shared_lock lock(mutex_);
  const auto reach = static_cast<std::size_t>(edits);
  for (auto length = letters.size() - reach; length <= letters.size() + reach && length <= max_word_letters; ++length) {
    for (const auto& entry : by_length_[length]) {
      if (std::popcount(entry.letters & ~bits) > edits || std::popcount(bits & ~entry.letters) > edits) continue;
      if (entry.word == word || !within_edits(letters, letters_of(entry.word), edits)) continue;
      found.push_back(entry.word);
      if (found.size() == most) return found;
    }
  }
  return found;
}

}  // namespace shop::xapian

// How a product lies in a Xapian document: terms, value slots, data. A change here is a new `format`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <xapian.h>

#include "adapters/xapian/vocabulary.hpp"
#include "ports/search_index.hpp"

namespace shop::xapian {

inline constexpr std::string_view format = "2";

// Value slots. Those to sort by end with the id, so that no two products are equal. terms: terms_mark of the document.
enum Slot : Xapian::valueno { version, relevance_ties, price_rising, price_falling, created, rating, facets, variants, terms };

// Terms: a letter, for texts the language, then the word.
namespace term {
inline std::string id(const ProductId& product) {
  return "Q" + std::string(reinterpret_cast<const char*>(product.uuid.bytes.data()), product.uuid.bytes.size());
}
inline const std::string active = "L", in_stock = "I";
std::string of_name(std::string_view language, const std::string& word);
std::string of_description(std::string_view language, const std::string& word);
std::string of_category(std::string_view language, const std::string& word);
inline std::string of_sku(const std::string& word) { return "S" + word; }
inline std::string of_attribute(const std::string& word) { return "A" + word; }
inline std::string anywhere(const std::string& word) { return "W" + word; }
inline std::string in_category(std::string_view slug) { return "C" + std::string(utf8_prefix(slug, 200)); }
inline std::string with_name(std::uint32_t number) { return "F" + std::to_string(number); }
}  // namespace term

inline std::string category_name(std::string_view slug) { return "C" + std::string(slug); }
inline std::string attribute_name(std::string_view flat) { return "A" + std::string(flat); }

std::string ordered(std::uint64_t number);  // compares as text as the number does
std::uint64_t number_of(std::string_view ordered);

void append_number(std::string& out, std::uint64_t number);
std::uint64_t take_number(std::string_view& in);  // 0 at the end

// A variant as slot `variants` holds it.
struct PackedVariant {
  std::uint64_t price = 0;
  bool in_stock = false;
  std::vector<std::uint32_t> attributes;
};
bool take_variant(std::string_view& in, PackedVariant& out);  // false at the end

using Remember = std::function<void(std::uint32_t number, const std::string& name)>;

// New words go into the vocabulary, new names into `names`, of which `remember` is told.
Xapian::Document document_of(const SearchIndex::Write& write, Names& names, Vocabulary& words, const Remember& remember);

// Stands for all that terms are made of: where it is the same, a change leaves the terms as they are. An order changes stock
// alone, and the terms are nine tenths of the work. Nothing for a product that has none.
std::string terms_mark(const SearchIndex::Write& write);

// A kept document whose terms stay as `write` wants it: values and data.
void renew(Xapian::Document& kept, const SearchIndex::Write& write, Names& names, const Remember& remember);

}  // namespace shop::xapian

#include "adapters/xapian/layout.hpp"

#include <algorithm>

namespace shop::xapian {
namespace {

std::string id_bytes(const ProductId& id) { return {reinterpret_cast<const char*>(id.uuid.bytes.data()), id.uuid.bytes.size()}; }

std::string complement(std::string bytes) {
  for (char& c : bytes) c = static_cast<char>(~c);
  return bytes;
}

std::string with_language(char field, std::string_view language, const std::string& word) {
  std::string out(1, field);
  out += language.size() == 2 ? language : std::string_view("??");
  return out += word;
}

// Instants before 1970 come before those after.
std::uint64_t shifted(std::int64_t number) { return static_cast<std::uint64_t>(number) ^ (std::uint64_t{1} << 63); }

}  // namespace

namespace term {
std::string of_name(std::string_view language, const std::string& word) { return with_language('N', language, word); }
std::string of_description(std::string_view language, const std::string& word) { return with_language('D', language, word); }
std::string of_category(std::string_view language, const std::string& word) { return with_language('K', language, word); }
}  // namespace term

std::string ordered(std::uint64_t number) {
  std::string out(8, '\0');
  for (int i = 7; i >= 0; --i, number >>= 8) out[static_cast<std::size_t>(i)] = static_cast<char>(number & 0xFF);
  return out;
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  for (const char c : text.substr(0, 8)) number = (number << 8) | static_cast<unsigned char>(c);
  return number;
}

void append_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>((number & 0x7F) | 0x80);
  out += static_cast<char>(number);
}

std::uint64_t take_number(std::string_view& in) {
  std::uint64_t number = 0;
  for (int shift = 0; !in.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    number |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) break;
  }
  return number;
}

bool take_variant(std::string_view& in, PackedVariant& out) {
  if (in.empty()) return false;
  out.price = take_number(in);
  out.in_stock = take_number(in) != 0;
  out.attributes.clear();
  for (auto left = take_number(in); left > 0 && !in.empty(); --left) out.attributes.push_back(static_cast<std::uint32_t>(take_number(in)));
  return true;
}

namespace {

void lay_out_texts(Xapian::Document& out, const SearchDocument& in, Vocabulary& words) {
  const auto each = [&](std::string_view text, auto name_term) {
    for (const auto& word : search_words(text)) {
      out.add_boolean_term(name_term(word));
      out.add_boolean_term(term::anywhere(word));
      words.add(word);
    }
  };
  const auto every = [&](const Texts& texts, auto name_term) {
    for (const auto& [language, text] : texts) {
      each(text, [&](const std::string& word) { return name_term(language, word); });
    }
  };
  each(in.sku, term::of_sku);
  every(in.name, term::of_name);
  every(in.description, term::of_description);
  for (const auto& names : in.category_names) every(names, term::of_category);
  for (const auto& flat : flat_attributes(in)) each(flat, term::of_attribute);
}

void lay_out_orders(Xapian::Document& out, const SearchDocument& in) {
  const auto id = id_bytes(in.id);
  const auto words = std::min<std::size_t>(search_words(localised(in.name, "en")).size(), 255);
  out.add_value(Slot::relevance_ties, std::string(1, static_cast<char>(words)) + complement(id));
  out.add_value(Slot::created, ordered(shifted(in.created_at.ms)) + id);
  out.add_value(Slot::rating, ordered(shifted(in.rating_hundredths)) + id);
  if (in.variants.empty()) {
    out.add_value(Slot::price_rising, std::string(8, '\xFF') + id);
    out.add_value(Slot::price_falling, std::string(8, '\0') + id);
    return;
  }
  const auto lowest = std::ranges::min_element(in.variants, {}, &SearchVariant::price)->price;
  const auto key = ordered(static_cast<std::uint64_t>(lowest.minor) + 1) + id;
  out.add_value(Slot::price_rising, key);
  out.add_value(Slot::price_falling, key);
}

// FNV-1a: it is kept, so it must be the same in every build.
class Mark {
 public:
  void add(std::string_view text) {
    for (const char c : text) mix(static_cast<unsigned char>(c));
    mix(0xFF);  // occurs in no text
  }
  void add(const Texts& texts) {
    for (const auto& [language, text] : texts) {
      add(language);
      add(text);
    }
    mix(0xFE);
  }
  std::string text() const { return ordered(hash_); }

 private:
  void mix(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001B3; }
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

bool in_stock(const SearchDocument& in) {
  return std::ranges::any_of(in.variants, [](const SearchVariant& variant) { return variant.stock > 0; });
}

// Names are numbered in the order in which terms and values need them; a name that is new is told once.
class Numbers {
 public:
  Numbers(Names& names, const Remember& remember) : names_(names), remember_(remember) {}

  std::uint32_t operator()(const std::string& name) const {
    bool made = false;
    const auto at = names_.add(name, made);
    if (made) remember_(at, name);
    return at;
  }

 private:
  Names& names_;
  const Remember& remember_;
};

void lay_out_values(Xapian::Document& out, const SearchDocument& in, const Numbers& number) {
  lay_out_orders(out, in);
  std::uint64_t ranges = 0;
  std::string packed;
  for (const auto& variant : in.variants) {
    ranges |= std::uint64_t{1} << price_range(variant.price);
    append_number(packed, static_cast<std::uint64_t>(variant.price.minor));
    append_number(packed, variant.stock > 0 ? 1 : 0);
    append_number(packed, variant.attributes.size());
    for (const auto& [name, value] : variant.attributes) append_number(packed, number(attribute_name(name + ":" + value)));
  }
  out.add_value(Slot::variants, packed);

  std::string counted;
  append_number(counted, ranges);
  for (const auto& slug : std::set(in.category_slugs.begin(), in.category_slugs.end())) append_number(counted, number(category_name(slug)));
  for (const auto& flat : flat_attributes(in)) append_number(counted, number(attribute_name(flat)));
  out.add_value(Slot::facets, counted);
  out.set_data(in.source);
}

bool has_terms(const SearchIndex::Write& write) { return write.document && write.document->active; }

}  // namespace

Xapian::Document document_of(const SearchIndex::Write& write, Names& names, Vocabulary& words, const Remember& remember) {
  Xapian::Document out;
  out.add_boolean_term(term::id(write.id));
  out.add_value(Slot::version, ordered(static_cast<std::uint64_t>(write.version)));
  if (!has_terms(write)) return out;
  const auto& in = *write.document;
  const Numbers number(names, remember);
  out.add_boolean_term(term::active);
  lay_out_texts(out, in, words);
  for (const auto& slug : in.category_slugs) out.add_boolean_term(term::in_category(slug));
  for (const auto& slug : in.ancestor_slugs) out.add_boolean_term(term::in_category(slug));
  if (in_stock(in)) out.add_boolean_term(term::in_stock);
  lay_out_values(out, in, number);
  for (const auto& flat : flat_attributes(in)) out.add_boolean_term(term::with_name(number(attribute_name(flat))));
  out.add_value(Slot::terms, terms_mark(write));
  return out;
}

std::string terms_mark(const SearchIndex::Write& write) {
  if (!has_terms(write)) return {};
  const auto& in = *write.document;
  Mark mark;
  mark.add(in.sku);
  mark.add(in.name);
  mark.add(in.description);
  for (const auto& names : in.category_names) mark.add(names);
  for (const auto* slugs : {&in.category_slugs, &in.ancestor_slugs}) {
    for (const auto& slug : *slugs) mark.add(slug);
    mark.add("");
  }
  for (const auto& flat : flat_attributes(in)) mark.add(flat);
  mark.add(in_stock(in) ? "in stock" : "sold out");
  return mark.text();
}

void renew(Xapian::Document& kept, const SearchIndex::Write& write, Names& names, const Remember& remember) {
  kept.add_value(Slot::version, ordered(static_cast<std::uint64_t>(write.version)));
  lay_out_values(kept, *write.document, Numbers(names, remember));
}

}  // namespace shop::xapian

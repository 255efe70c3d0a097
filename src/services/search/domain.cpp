#include "services/search/domain.hpp"

#include <cmath>

namespace shop::search {
namespace {

constexpr char text_begin = '\1', text_next = '\2', text_end = '\3', price_mark = '\4';

using codec::write_json;

template <class T>
void member(std::string& out, std::string_view name, const T& value) {
  (((out += '"') += name) += "\":");
  write_json(out, value);
  out += ',';
}

void local_text(std::string& out, const Texts& texts) {
  out += text_begin;
  for (bool first = true; const auto& [language, text] : texts) {
    if (text.empty() || language.size() != 2) continue;
    if (!std::exchange(first, false)) out += text_next;
    out += language;
    codec::write_string(out, text);
  }
  out += text_end;
}

template <class Range, class Each>
void list(std::string& out, std::string_view name, const Range& range, Each each) {
  (((out += '"') += name) += "\":[");
  for (bool first = true; const auto& element : range) {
    if (!std::exchange(first, false)) out += ',';
    each(element);
  }
  out += "],";
}

// Of the entries between the marks: that of `language`, else English, else the first.
std::string_view chosen(std::string_view entries, std::string_view language) {
  std::string_view first, english;
  while (!entries.empty()) {
    const auto end = std::min(entries.find(text_next), entries.size());
    const auto entry = entries.substr(0, end);
    entries.remove_prefix(std::min(end + 1, entries.size()));
    if (entry.size() < 2) continue;
    const auto text = entry.substr(2);
    if (entry.starts_with(language)) return text;
    if (entry.starts_with("en")) english = text;
    if (first.empty()) first = text;
  }
  return !english.empty() ? english : !first.empty() ? first : std::string_view("null");
}

void append_price(std::string& out, std::string_view minor, const std::optional<Conversion>& conversion) {
  Money money;
  std::from_chars(minor.data(), minor.data() + minor.size(), money.minor);
  if (conversion) {
    out += convert(money, conversion->rate, conversion->currency).value_or(Money{max_minor, conversion->currency}).text();
  } else {
    ((out += '"') += money.text()) += '"';
  }
}

SearchDocument document_of(const IndexedProduct& product) {
  SearchDocument document;
  document.id = product.id;
  document.sku = product.sku;
  document.name = product.name;
  document.description = product.description.value_or(Texts());
  document.category_names = product.category_names.value_or(std::vector<Texts>());
  document.category_slugs = product.category_slugs.value_or(std::vector<std::string>());
  document.ancestor_slugs = product.ancestor_slugs.value_or(std::vector<std::string>());
  document.active = product.isActive.value_or(true);
  document.created_at = product.createdAt.value_or(Instant());
  document.updated_at = product.updatedAt.value_or(document.created_at);
  document.rating_hundredths = std::llround(std::clamp(product.averageRating.value_or(0), 0.0, 5.0) * 100);
  document.review_count = product.reviewCount.value_or(0);
  for (const auto& variant : product.variants.value_or(std::vector<IndexedProduct::Variant>())) {
    document.variants.push_back({variant.id, variant.attributes.value_or(product::Attributes()), variant.price, variant.stockQuantity.value_or(0)});
  }
  return document;
}

}  // namespace

SearchIndex::Write write_of(IndexedProduct product, std::int64_t version) {
  auto document = document_of(product);
  if (document.active) document.source = card_of(product);
  return {product.id, version, std::move(document)};
}

std::string card_of(const IndexedProduct& product) {
  const auto document = document_of(product);
  std::string out = "{";
  member(out, "id", product.id);
  member(out, "sku", product.sku);
  out += R"("name":)";
  local_text(out, document.name);
  out += R"(,"description":)";
  local_text(out, document.description);
  out += ',';
  member(out, "isActive", document.active);
  member(out, "createdAt", document.created_at);
  member(out, "updatedAt", document.updated_at);
  member(out, "averageRating", static_cast<double>(document.rating_hundredths) / 100);
  member(out, "reviewCount", document.review_count);
  member(out, "primaryImageUrl", product.primaryImageUrl);
  for (const std::string_view language : {"en", "fr", "ar"}) {
    list(out, fmt::format("category_names_{}", language), document.category_names,
         [&](const Texts& names) { codec::write_string(out, localised(names, language)); });
  }
  member(out, "category_slugs", document.category_slugs);
  list(out, "categories", document.category_slugs, [&, i = std::size_t{0}](const std::string& slug) mutable {
    out += R"({"name":)";
    local_text(out, i < document.category_names.size() ? document.category_names[i] : Texts{{"en", slug}});
    out += R"(,"slug":)";
    codec::write_string(out, slug);
    out += '}';
    ++i;
  });
  list(out, "variants", document.variants, [&](const SearchVariant& variant) {
    out += '{';
    member(out, "id", variant.id);
    member(out, "attributes", variant.attributes);
    fmt::format_to(std::back_inserter(out), R"("price":{}{}{},"stockQuantity":{}}})", price_mark, variant.price.minor, price_mark, variant.stock);
  });
  member(out, "variant_attributes_flat", product.variant_attributes_flat.value_or(std::vector<std::string>()));
  member(out, "images", product.images.value_or(std::vector<product::DocumentImage>()));
  out.back() = '}';
  return out;
}

void append_hit(std::string& out, std::string_view card, const View& view) {
  while (!card.empty()) {
    const auto mark = std::find_if(card.begin(), card.end(), [](char c) { return c >= text_begin && c <= price_mark; });
    out.append(card.begin(), mark);
    if (mark == card.end()) return;
    const bool text = *mark == text_begin;
    card = std::string_view(mark + 1, card.end());
    const auto end = std::min(card.find(text ? text_end : price_mark), card.size());
    const auto marked = card.substr(0, end);
    if (text) out += chosen(marked, view.language);
    else append_price(out, marked, view.conversion);
    card.remove_prefix(std::min(end + 1, card.size()));
  }
}

Facets facets_of(const SearchResult& result) {
  Facets facets;
  for (const auto& [slug, count] : result.categories) facets.categories.push_back({slug, count});
  for (const auto& [flat, count] : result.attributes) {
    const auto colon = std::min(flat.find(':'), flat.size());
    const auto name = flat.substr(0, colon);
    auto facet = std::ranges::find(facets.attributes, name, &AttributeFacet::name);
    if (facet == facets.attributes.end()) facet = facets.attributes.insert(facet, {name, {}});
    facet->options.push_back({flat.substr(std::min(colon + 1, flat.size())), count});
  }
  for (std::size_t i = 0; i < price_range_from.size(); ++i) {
    if (result.price_ranges[i] == 0) continue;
    PriceRangeFacet range;
    const auto from = price_range_from[i] / 100;
    if (i > 0) range.from.value = from;
    if (i + 1 < price_range_from.size()) range.to.value = price_range_from[i + 1] / 100;
    range.key = fmt::format("{}-{}", range.from.value ? fmt::format("{}.0", from) : "*", range.to.value ? fmt::format("{}.0", *range.to.value) : "*");
    range.count = result.price_ranges[i];
    facets.price_ranges.push_back(std::move(range));
  }
  return facets;
}

}  // namespace shop::search

#include "adapters/elasticsearch/messages.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "codec/forms.hpp"
#include "ports/search_words.hpp"

namespace shop::elasticsearch {
namespace {

// Where the standard tokenizer would keep together what search_words() parts, and Arabic letters that it reads as others.
json::array character_rules() {
  json::array rules;
  for (const auto separator : {"'", "\u2019", "\u2018", "\uFF07", ".", "\u2024", "\uFE52", "\uFF0E", "\u00B7", "\u0387", "\u055F", "\u05F4", "\u2027",
                               "\uFE13", "\uFE55", "\uFF1A", ":", ",", ";", "\u037E", "\u0589", "\u060C", "\u060D", "\u066C", "\u07F8", "\u2044",
                               "\uFE10", "\uFE14", "\uFE50", "\uFE54", "\uFF0C", "\uFF1B", "_", "\u202F", "\u203F", "\u2040", "\u2054", "\uFE33",
                               "\uFE34", "\uFE4D", "\uFE4E", "\uFE4F", "\uFF3F"}) {
    rules.emplace_back(fmt::format("{} => \\u0020", separator));
  }
  rules.emplace_back("\u0624 => \u0648");
  rules.emplace_back("\u0626 => \u064A");
  for (const auto joiner : {"\u00AD", "\u200C", "\u200D"}) rules.emplace_back(fmt::format("{} => ", joiner));
  return rules;
}

json::object analysis() {
  return {{"char_filter", {{"separators", {{"type", "mapping"}, {"mappings", character_rules()}}}}},
          {"filter", {{"cut", {{"type", "truncate"}, {"length", max_word_letters}}}}},
          {"analyzer",
           {{"texts",
             {{"type", "custom"},
              {"char_filter", {"separators"}},
              {"tokenizer", "standard"},
              {"filter", {"lowercase", "asciifolding", "arabic_normalization", "decimal_digit", "cut"}}}}}}};
}

json::object text_field(std::string_view analyzer = "texts") {
  return {{"type", "text"}, {"analyzer", analyzer}, {"norms", false}, {"index_options", "docs"}};
}

json::object keyword_and_words() { return {{"type", "keyword"}, {"fields", {{"words", text_field()}}}}; }

json::object languages() {
  return {{"properties", {{"en", text_field()}, {"fr", text_field()}, {"ar", text_field()}}}};
}

json::object mapping(json::object meta) {
  json::object nested_variants{{"type", "nested"},
                               {"properties",
                                {{"id", {{"type", "keyword"}}},
                                 {"price", {{"type", "float"}}},
                                 {"price_minor", {{"type", "long"}}},
                                 {"stockQuantity", {{"type", "integer"}}},
                                 {"attributes_flat", {{"type", "keyword"}}}}}};
  json::object nested_images{
      {"type", "nested"},
      {"properties", {{"id", {{"type", "keyword"}}}, {"isPrimary", {{"type", "boolean"}}}, {"order", {{"type", "integer"}}}}}};
  return {{"_meta", std::move(meta)},
          {"_source", {{"excludes", {"source", "everything"}}}},
          {"dynamic_templates",
           {{{"names", {{"path_match", "name.*"}, {"mapping", text_field()}}}},
            {{"descriptions", {{"path_match", "description.*"}, {"mapping", text_field()}}}},
            {{"categories", {{"match", "category_names_*"}, {"mapping", text_field()}}}}}},
          {"properties",
           {{"id", {{"type", "keyword"}}},
            {"sku", keyword_and_words()},
            {"name", languages()},
            {"description", languages()},
            {"category_names_en", text_field()},
            {"category_names_fr", text_field()},
            {"category_names_ar", text_field()},
            {"category_slugs", {{"type", "keyword"}}},
            {"categories_above", {{"type", "keyword"}}},
            {"isActive", {{"type", "boolean"}}},
            {"createdAt", {{"type", "date"}}},
            {"updatedAt", {{"type", "date"}}},
            {"averageRating", {{"type", "half_float"}}},
            {"rating_hundredths", {{"type", "integer"}}},
            {"reviewCount", {{"type", "integer"}}},
            {"variant_attributes_flat", keyword_and_words()},
            {"variants", std::move(nested_variants)},
            {"images", std::move(nested_images)},
            {"lowest_price", {{"type", "long"}}},
            {"price_ranges", {{"type", "byte"}}},
            {"name_words", {{"type", "short"}}},
            {"everything", text_field("whitespace")},
            {"source", {{"type", "keyword"}, {"index", false}, {"doc_values", false}, {"store", true}}}}}};
}

// Every word of the product, once, as search_words() sees it.
std::string everything(const SearchDocument& document) {
  std::set<std::string> words;
  const auto add = [&](std::string_view text) {
    for (auto& word : search_words(text)) words.insert(std::move(word));
  };
  add(document.sku);
  for (const auto* texts : {&document.name, &document.description}) {
    for (const auto& [language, text] : *texts) add(text);
  }
  for (const auto& names : document.category_names) {
    for (const auto& [language, text] : names) add(text);
  }
  for (const auto& flat : flat_attributes(document)) add(flat);
  return fmt::format("{}", fmt::join(words, " "));
}

json::object object_of(const Texts& texts) {
  json::object out;
  for (const auto& [language, text] : texts) out[language] = text;
  return out;
}

json::array array_of(const auto& strings) {
  json::array out;
  for (const auto& text : strings) out.emplace_back(text);
  return out;
}

json::object document_of(const SearchIndex::Write& write) {
  if (!write.document || !write.document->active) return {{"id", write.id.text()}, {"isActive", false}};
  const auto& in = *write.document;
  json::object out{{"id", in.id.text()},
                   {"sku", in.sku},
                   {"name", object_of(in.name)},
                   {"description", object_of(in.description)},
                   {"category_slugs", array_of(in.category_slugs)},
                   {"categories_above", array_of(in.ancestor_slugs)},
                   {"isActive", true},
                   {"createdAt", in.created_at.text()},
                   {"updatedAt", in.updated_at.text()},
                   {"averageRating", static_cast<double>(in.rating_hundredths) / 100},
                   {"rating_hundredths", in.rating_hundredths},
                   {"reviewCount", in.review_count},
                   {"variant_attributes_flat", array_of(flat_attributes(in))},
                   {"name_words", std::min<std::size_t>(search_words(localised(in.name, "en")).size(), 255)},
                   {"everything", everything(in)},
                   {"source", in.source}};
  for (const auto& names : in.category_names) {
    for (const auto& [language, text] : names) {
      auto& list = out["category_names_" + language];
      if (!list.is_array()) list.emplace_array();
      list.as_array().emplace_back(text);
    }
  }
  if (in.variants.empty()) return out;
  json::array variants;
  std::set<std::int64_t> ranges;
  for (const auto& variant : in.variants) {
    json::array flat;
    for (const auto& [name, value] : variant.attributes) flat.emplace_back(name + ":" + value);
    ranges.insert(static_cast<std::int64_t>(price_range(variant.price)));
    variants.emplace_back(json::object{{"id", variant.id.text()},
                                       {"price", static_cast<double>(variant.price.minor) / 100},
                                       {"price_minor", variant.price.minor},
                                       {"stockQuantity", std::clamp<std::int64_t>(variant.stock, 0, 2'000'000'000)},
                                       {"attributes_flat", std::move(flat)}});
  }
  out["variants"] = std::move(variants);
  out["price_ranges"] = json::array(ranges.begin(), ranges.end());
  out["lowest_price"] = std::ranges::min_element(in.variants, {}, &SearchVariant::price)->price.minor;
  return out;
}

// --- queries

json::object weighed(double weight, json::object filter) {
  return {{"constant_score", {{"filter", std::move(filter)}, {"boost", weight}}}};
}

json::object term(std::string field, std::string_view value) { return {{"term", {{std::move(field), value}}}}; }

// Rewritten so, it takes every word within the distance, as many as there are.
json::object near(std::string field, std::string_view word, int edits) {
  return {{"fuzzy", {{std::move(field), {{"value", word}, {"fuzziness", edits}, {"transpositions", true}, {"rewrite", "constant_score"}}}}}};
}

json::object word_query(const std::string& word, const std::string& language) {
  json::array fields{
      weighed(5, term("name." + language, word)),              weighed(4, term("category_names_" + language, word)),
      weighed(3, term("sku.words", word)),                     weighed(2.5, term("name.en", word)),
      weighed(2, term("description." + language, word)),       weighed(2, term("category_names_en", word)),
      weighed(1, term("variant_attributes_flat.words", word)), weighed(1, term("description.en", word)),
      weighed(0.75, term("everything", word)),
  };
  if (const auto edits = tolerated_edits(letters_of(word).size()); edits > 0) {
    fields.emplace_back(weighed(0.5, near("name." + language, word, edits)));
    if (language != "en") fields.emplace_back(weighed(0.5, near("name.en", word, edits)));
    fields.emplace_back(weighed(0.25, near("everything", word, edits)));
  }
  return {{"dis_max", {{"queries", std::move(fields)}}}};
}

std::optional<json::object> variant_filter(const SearchQuery& query) {
  json::array all;
  if (query.in_stock) all.emplace_back(json::object{{"range", {{"variants.stockQuantity", {{"gt", 0}}}}}});
  json::object bounds;
  if (query.min_price) bounds["gte"] = query.min_price->minor;
  if (query.max_price) bounds["lte"] = query.max_price->minor;
  if (!bounds.empty()) all.emplace_back(json::object{{"range", {{"variants.price_minor", std::move(bounds)}}}});
  for (const auto& [name, values] : query.attributes) {
    json::array alternatives;
    for (const auto& value : values) alternatives.emplace_back(name + ":" + value);
    all.emplace_back(json::object{{"terms", {{"variants.attributes_flat", std::move(alternatives)}}}});
  }
  if (all.empty()) return std::nullopt;
  return json::object{{"nested", {{"path", "variants"}, {"query", {{"bool", {{"filter", std::move(all)}}}}}}}};
}

json::array sort_of(const SearchQuery& query) {
  const std::string_view down = query.descending ? "desc" : "asc", up = query.descending ? "asc" : "desc";
  const auto by = [](std::string field, std::string_view order) { return json::object{{std::move(field), {{"order", order}}}}; };
  switch (query.order) {
    case SearchOrder::relevance: return {by("_score", down), by("name_words", up), by("id", down)};
    case SearchOrder::price: return {json::object{{"lowest_price", {{"order", down}, {"missing", "_last"}}}}, by("id", down)};
    case SearchOrder::created_at: return {by("createdAt", down), by("id", down)};
    case SearchOrder::rating: return {by("rating_hundredths", down), by("id", down)};
  }
  return {};
}

json::object most_frequent(std::string_view field, std::size_t most) {
  const json::array order{json::object{{"_count", "desc"}}, json::object{{"_key", "asc"}}};
  return {{"terms", {{"field", field}, {"size", most}, {"order", order}}}};
}

Failure unreadable(std::string detail) {
  return fail(Code::bad_upstream, "The search engine gave an answer that cannot be read.", {}, std::move(detail));
}

struct Bucket {
  json::value key;
  std::int64_t doc_count = 0;
};
BOOST_DESCRIBE_STRUCT(Bucket, (), (key, doc_count))
struct Buckets {
  std::optional<std::vector<Bucket>> buckets;
};
BOOST_DESCRIBE_STRUCT(Buckets, (), (buckets))
struct Aggregations {
  std::optional<Buckets> categories, attributes, price_ranges;
};
BOOST_DESCRIBE_STRUCT(Aggregations, (), (categories, attributes, price_ranges))
struct Stored {
  std::vector<std::string> source;
};
BOOST_DESCRIBE_STRUCT(Stored, (), (source))
struct FoundHit {
  Stored fields;
};
BOOST_DESCRIBE_STRUCT(FoundHit, (), (fields))
struct Total {
  std::int64_t value = 0;
};
BOOST_DESCRIBE_STRUCT(Total, (), (value))
struct Hits {
  Total total;
  std::optional<std::vector<FoundHit>> hits;
};
BOOST_DESCRIBE_STRUCT(Hits, (), (total, hits))
struct Answer {
  bool timed_out = false;
  Hits hits;
  std::optional<Aggregations> aggregations;
};
BOOST_DESCRIBE_STRUCT(Answer, (), (timed_out, hits, aggregations))

struct ListedHit {
  ProductId _id;
  std::int64_t _version = 0;
  std::optional<Stored> fields;
};
BOOST_DESCRIBE_STRUCT(ListedHit, (), (_id, _version, fields))
struct ListedHits {
  std::optional<std::vector<ListedHit>> hits;
};
BOOST_DESCRIBE_STRUCT(ListedHits, (), (hits))
struct ListAnswer {
  bool timed_out = false;
  std::optional<ListedHits> hits;
};
BOOST_DESCRIBE_STRUCT(ListAnswer, (), (timed_out, hits))

struct ItemError {
  std::optional<std::string> type, reason;
};
BOOST_DESCRIBE_STRUCT(ItemError, (), (type, reason))
struct ItemOutcome {
  std::int64_t status = 0;
  std::optional<ItemError> error;
};
BOOST_DESCRIBE_STRUCT(ItemOutcome, (), (status, error))
struct Item {
  ItemOutcome index;
};
BOOST_DESCRIBE_STRUCT(Item, (), (index))
struct BulkAnswer {
  std::vector<Item> items;
};
BOOST_DESCRIBE_STRUCT(BulkAnswer, (), (items))

std::vector<Bucket> buckets_of(const std::optional<Buckets>& in) {
  return in ? in->buckets.value_or(std::vector<Bucket>()) : std::vector<Bucket>();
}

std::vector<FacetCount> counts_of(const std::optional<Buckets>& in) {
  std::vector<FacetCount> counts;
  for (const auto& bucket : buckets_of(in)) {
    if (const auto* key = bucket.key.if_string()) counts.push_back({std::string(*key), bucket.doc_count});
  }
  return counts;
}

}  // namespace

json::object new_index(const std::string& alias, json::object meta, bool building) {
  return {{"settings",
           {{"number_of_shards", 1}, {"auto_expand_replicas", "0-1"}, {"refresh_interval", building ? "-1" : "1s"}, {"analysis", analysis()}}},
          {"mappings", mapping(std::move(meta))},
          {"aliases", {{alias, json::object()}}}};
}

std::string bulk_body(const std::vector<SearchIndex::Write>& writes, const std::vector<std::string>& aliases) {
  std::string out;
  for (const auto& write : writes) {
    const auto document = json::serialize(document_of(write));
    for (const auto& alias : aliases) {
      fmt::format_to(std::back_inserter(out), R"({{"index":{{"_index":"{}","_id":"{}","version":{},"version_type":"external"}}}})", alias,
                     write.id.text(), write.version);
      ((out += '\n') += document) += '\n';
    }
  }
  return out;
}

Result<std::vector<BulkItem>> bulk_items(std::string_view text, const std::vector<std::string>& aliases, std::size_t expected) {
  auto answer = codec::from_json<BulkAnswer>(text);
  if (!answer) return unreadable(answer.error().message);
  if (answer->items.size() != expected) return unreadable(fmt::format("{} items for {}", answer->items.size(), expected));
  std::vector<BulkItem> items;
  for (std::size_t i = 0; i < expected; ++i) {
    const auto& outcome = answer->items[i].index;
    const auto error = outcome.error.value_or(ItemError());
    items.push_back({aliases[i % aliases.size()], static_cast<int>(outcome.status), error.type.value_or(""), error.reason.value_or("")});
  }
  return items;
}

std::string search_body(const SearchQuery& query) {
  json::array filters{json::object{{"term", {{"isActive", true}}}}};
  if (query.category) {
    json::array either{term("category_slugs", *query.category), term("categories_above", *query.category)};
    filters.emplace_back(json::object{{"bool", {{"should", std::move(either)}, {"minimum_should_match", 1}}}});
  }
  if (auto filter = variant_filter(query)) filters.emplace_back(std::move(*filter));
  json::array words;
  for (const auto& word : query_words(query.text)) words.emplace_back(word_query(word, query.language));
  return json::serialize(json::object{
      {"from", query.offset},
      {"size", query.limit},
      {"track_total_hits", true},
      {"_source", false},
      {"stored_fields", {"source"}},
      {"query", {{"bool", {{"must", std::move(words)}, {"filter", std::move(filters)}}}}},
      {"sort", sort_of(query)},
      {"aggs",
       {{"categories", most_frequent("category_slugs", max_category_facets)},
        {"attributes", most_frequent("variant_attributes_flat", max_attribute_facets)},
        {"price_ranges", most_frequent("price_ranges", price_range_from.size())}}}});
}

Result<SearchResult> search_result(std::string_view text) {
  auto answer = codec::from_json<Answer>(text);
  if (!answer) return unreadable(answer.error().message);
  if (answer->timed_out) return fail(Code::timed_out, "The search engine did not answer in time.");
  SearchResult result;
  result.total = answer->hits.total.value;
  if (answer->hits.hits) {
    for (auto& hit : *answer->hits.hits) {
      if (hit.fields.source.empty()) return unreadable("a hit without its source");
      result.sources.push_back(std::move(hit.fields.source.front()));
    }
  }
  const auto facets = answer->aggregations.value_or(Aggregations());
  result.categories = counts_of(facets.categories);
  result.attributes = counts_of(facets.attributes);
  for (const auto& bucket : buckets_of(facets.price_ranges)) {
    json::error_code error;
    const auto range = bucket.key.to_number<std::size_t>(error);
    if (!error && range < result.price_ranges.size()) result.price_ranges[range] = bucket.doc_count;
  }
  return result;
}

std::string list_body(const std::optional<ProductId>& after, std::size_t limit) {
  json::object body{{"size", limit}, {"version", true}, {"_source", false}, {"stored_fields", {"source"}}, {"track_total_hits", false},
                    {"query", {{"match_all", json::object()}}}, {"sort", {json::object{{"id", "asc"}}}}};
  if (after) body["search_after"] = {after->text()};
  return json::serialize(body);
}

Result<std::vector<ListedProduct>> listed_products(std::string_view text) {
  auto answer = codec::from_json<ListAnswer>(text);
  if (!answer) return unreadable(answer.error().message);
  if (answer->timed_out) return fail(Code::timed_out, "The search engine did not answer in time.");
  std::vector<ListedProduct> products;
  if (!answer->hits || !answer->hits->hits) return products;
  for (auto& hit : *answer->hits->hits) {
    auto& product = products.emplace_back(ListedProduct{hit._id, hit._version, std::nullopt});
    if (hit.fields && !hit.fields->source.empty()) product.source = std::move(hit.fields->source.front());
  }
  return products;
}

}  // namespace shop::elasticsearch

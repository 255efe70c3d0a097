// What is said to the engine and read from it; pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "ports/search_index.hpp"

namespace shop::elasticsearch {

namespace json = boost::json;

inline constexpr std::string_view format = "1";  // of documents and mapping; another one is rebuilt

// Settings and mapping of a new index that is reached under `alias`.
json::object new_index(const std::string& alias, json::object meta, bool building);

// Two lines for each write and alias.
std::string bulk_body(const std::vector<SearchIndex::Write>& writes, const std::vector<std::string>& aliases);

struct BulkItem {
  std::string alias;
  int status = 0;
  std::string error_type, reason;
};
// One for each pair of lines, in their order. bad_upstream when there are not as many as `expected`.
Result<std::vector<BulkItem>> bulk_items(std::string_view answer, const std::vector<std::string>& aliases, std::size_t expected);

std::string search_body(const SearchQuery& query);
inline constexpr std::string_view search_filter =  // what of the answer is read
    "filter_path=timed_out,hits.total.value,hits.hits.fields.source,aggregations.*.buckets.key,aggregations.*.buckets.doc_count";
Result<SearchResult> search_result(std::string_view answer);

// A page of all that the index holds, by id.
std::string list_body(const std::optional<ProductId>& after, std::size_t limit);
inline constexpr std::string_view list_filter = "filter_path=timed_out,hits.hits._id,hits.hits._version,hits.hits.fields.source";
Result<std::vector<ListedProduct>> listed_products(std::string_view answer);

}  // namespace shop::elasticsearch

// A SearchQuery as Xapian runs it.
#pragma once

#include <xapian.h>

#include "adapters/xapian/vocabulary.hpp"
#include "ports/search_index.hpp"

namespace shop::xapian {

SearchResult search(Xapian::Database& database, const Names& names, const Vocabulary& words, const SearchQuery& query);

}  // namespace shop::xapian

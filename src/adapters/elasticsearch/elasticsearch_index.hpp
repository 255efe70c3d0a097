// The search index in Elasticsearch 7 and 8 or OpenSearch 2, spoken to in what they share.
//
// Two aliases over the indexes `products-v1`, `products-v2` ...: `products` is the live one, `products-next` the one that a
// rebuild fills. Every write goes to both, by alias and never by name: an alias that does not exist just then refuses its
// half. So no instance needs to know whether another one rebuilds, and the swap is one step in the engine. The product's
// version is the document's external version; what was removed stays as a document that only holds its version. A batch is
// refreshed once, before apply() returns. An abandoned rebuild is taken over when its heartbeat is a minute old.
#pragma once

#include <memory>
#include <vector>

#include "net/client.hpp"
#include "ports/clock.hpp"
#include "ports/search_index.hpp"

namespace shop {

struct ElasticsearchOptions {
  std::vector<net::Endpoint> nodes;  // at least one; the next is asked when one cannot be reached
  std::string index = "products";    // the live alias; the other names derive from it
};

std::unique_ptr<SearchIndex> open_elasticsearch(ElasticsearchOptions options, net::ClientPool& pool, Clock& clock);

// The live index, for reading only.
std::unique_ptr<SearchListing> list_elasticsearch(ElasticsearchOptions options, net::ClientPool& pool, Clock& clock);

}  // namespace shop

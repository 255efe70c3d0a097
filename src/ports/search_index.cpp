#include "ports/search_index.hpp"

namespace shop {

std::size_t price_range(Price price) {
  std::size_t index = price_range_from.size() - 1;
  while (index > 0 && price.minor < price_range_from[index]) --index;
  return index;
}

std::set<std::string> flat_attributes(const SearchDocument& document) {
  std::set<std::string> flat;
  for (const auto& variant : document.variants) {
    for (const auto& [name, value] : variant.attributes) flat.insert(name + ":" + value);
  }
  return flat;
}

}  // namespace shop

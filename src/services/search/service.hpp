// Searching, and keeping the index true to the catalogue.
#pragma once

#include <atomic>
#include <mutex>

#include "runtime/loop.hpp"
#include "services/search/rates.hpp"

namespace shop::search {

class SearchService {
 public:
  SearchService(SearchIndex& index, CataloguePeer catalogue, Clock& clock) : index_(index), rates_(catalogue, clock) {}

  // The answer's JSON.
  Task<Result<std::string>> search(const Context& context, const SearchRequest& request, const std::string& language,
                                   const std::optional<Currency>& currency);

 private:
  SearchIndex& index_;
  Rates rates_;
};

// Builds the index anew beside the live one: when that is new, damaged or incomplete, and when an operator asks. Nothing is
// ever deleted before its successor is whole.
class Rebuilder {
 public:
  Rebuilder(SearchIndex& index, CataloguePeer catalogue, Clock& clock);

  Loop& loop() { return loop_; }
  RebuildReport request();
  RebuildReport report() const;

 private:
  Task<Result<bool>> step(const Context& context);
  Task<Result<void>> rebuild(const Context& context);
  struct Fed {
    std::optional<ProductId> next;  // nothing: that was the last page
  };
  Task<Result<void>> feed(const Context& context);
  Task<Result<Fed>> feed_page(const Context& context, const std::optional<ProductId>& after, int page_size);
  void set(RebuildStatus status, std::string message);

  SearchIndex& index_;
  CataloguePeer catalogue_;
  Clock& clock_;
  std::atomic<bool> wanted_{false};
  mutable std::mutex mutex_;
  RebuildReport report_{"No rebuild was needed.", RebuildStatus::NONE, 0};
  Loop loop_;
};

}  // namespace shop::search

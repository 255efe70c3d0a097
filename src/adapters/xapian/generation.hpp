// One folder of the index. write(), commit() and mark_complete() belong to the one writing thread; search() may run on any.
// Xapian's errors are thrown as they are.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include <xapian.h>

#include "adapters/xapian/vocabulary.hpp"
#include "ports/search_index.hpp"

namespace shop::xapian {

class Generation {
 public:
  enum class Open { made_new, as_it_is };

  Generation(std::filesystem::path folder, Open how);
  ~Generation();  // removes the folder if it was told to

  const std::filesystem::path& folder() const { return folder_; }

  void write(const SearchIndex::Write& write);  // no effect when not newer
  void commit();                                // searches that begin afterwards see what was written
  void roll_back();                             // after an error: as of the last commit
  void mark_complete();                         // every product was fed; commits
  void flush();                                 // to the disk

  SearchResult search(const SearchQuery& query);

  bool complete() const { return complete_; }
  std::int64_t products();
  void remove_at_end(bool remove = true) { remove_ = remove; }

 private:
  struct Reader {
    Xapian::Database database;
    std::uint64_t commits;  // seen when it was opened
  };

  void open();
  void load();
  template <class Use>
  auto read(Use use);
  Reader take_reader();
  void give_back(Reader reader);

  const std::filesystem::path folder_;
  Xapian::WritableDatabase writer_;
  Names names_;
  Vocabulary words_;
  std::atomic<bool> complete_{false}, remove_{false};

  std::atomic<std::uint64_t> commits_{0};
  std::shared_mutex committing_;  // shared by a search that commits have overtaken too often
  std::mutex mutex_;
  std::vector<Reader> idle_;
};

}  // namespace shop::xapian

// The search index of one process, in Xapian: a folder for each generation, of which the file `live` names the one in use.
//
// One thread writes, many writes in one commit; searches run on a bounded pool and see a commit as soon as it returned.
// Nothing is flushed to the disk while the process runs: the index is derived. What a crash of the machine may have lost is
// noticed at the next start (the machine booted anew meanwhile), as is a damaged folder: state() then asks for a rebuild.
#pragma once

#include <filesystem>
#include <memory>

#include "ports/search_index.hpp"

namespace shop {

struct XapianOptions {
  std::filesystem::path folder;  // one process uses it; made when missing
  std::size_t readers = 2;       // threads
  std::size_t queue = 256;       // searches, and writes, that may wait: more are unavailable
};

// Throws std::runtime_error when the folder cannot be used.
std::unique_ptr<SearchIndex> open_xapian(XapianOptions options);

// The live index in the folder, for reading only, also while a process uses it. Reads in the caller's thread. Folder and index may
// be missing: unavailable.
std::unique_ptr<SearchListing> list_xapian(std::filesystem::path folder);

}  // namespace shop

// Database on SQLite: one writer thread that commits in groups, a small pool of readers that never block it.
//
// The writer takes whatever waits, at most `group`, runs each work in its own savepoint and commits once: under load the
// cost of the disk's flush is shared, alone nobody waits for company. A work that fails fails alone.
#pragma once

#include <memory>
#include <string>

#include "ports/clock.hpp"
#include "ports/database.hpp"

namespace shop::sqlite {

struct Options {
  std::string path;
  std::size_t readers = 2;   // threads
  std::size_t queue = 1024;  // works that may wait; one more is refused as unavailable
  std::size_t group = 32;
  bool durable = true;    // false: commits survive the process; a power loss takes those of the last second
  bool threads = true;    // false: every work runs in the caller's thread (simulation)
  std::string vfs = {};   // SQLite's name of another file system (simulation)
  // Of the log, until they are carried into the file, which a commit then waits for. No more than readers find through one table
  // of the log's index (sqlite.org/walformat.html, 2.3: 4 062).
  int checkpoint_pages = 4000;
};

// Throws std::runtime_error when the file cannot be used, with a sentence that says what to do.
std::unique_ptr<Database> open(Options options, const Clock& clock);

}  // namespace shop::sqlite

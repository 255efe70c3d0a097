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
  int checkpoint_pages = 1000;  // of the log, until they are carried into the file
};

// Throws std::runtime_error when the file cannot be used, with a sentence that says what to do.
std::unique_ptr<Database> open(Options options, const Clock& clock);

}  // namespace shop::sqlite

// A file system for SQLite (sqlite.org/vfs.html) on top of another: what a transaction adds to the write-ahead log goes there in
// one write, instead of two a page.
//
// Nothing that anybody may rely on is kept back. The page that commits takes all before it along, before SQLite shows it to readers
// or flushes it, and a failed or short write is the failure of that commit; whatever else happens to the log happens after what was
// kept back is written. It is for connections with cache_spill=OFF: they add nothing to the log before they commit.
#pragma once

#include <memory>
#include <string>

namespace shop::sqlite {

class Gathering {
 public:
  explicit Gathering(const std::string& below);  // SQLite's name of the file system; empty: the operating system's. It must outlive this
  ~Gathering();
  Gathering(const Gathering&) = delete;

  const std::string& name() const { return name_; }  // what sqlite3_open_v2 must be given; every file must be closed before this ends

  // Of bytes, kept back in memory and given to the file system below at once. SQLite's own takes no more (os_unix.c, seekAndWriteFd).
  static constexpr std::size_t most = 0x1ffff;

 private:
  struct Registered;
  const std::string name_;
  std::unique_ptr<Registered> registered_;
};

}  // namespace shop::sqlite

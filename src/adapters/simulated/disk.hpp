// A disk in memory that SQLite uses through a virtual file system (sqlite.org/vfs.html). It keeps apart what was written and what
// was flushed, so a power failure can lose, or tear, exactly what no flush had made durable.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/simulated/simulation.hpp"

struct sqlite3_vfs;

namespace shop::simulated {

class Disk {
 public:
  explicit Disk(Dice dice);
  ~Disk();
  Disk(const Disk&) = delete;

  const std::string& vfs() const { return name_; }  // what sqlite3_open_v2 must be given

  using Content = std::map<std::string, std::string>;
  Content content() const;
  void put(Content content);  // replaces everything; no file may be open

  // Call crash() while the files are still open, then close them, then recover(): what is on the disk after the failure.
  // A killed process leaves all that it wrote; a power failure only what was flushed, and of the rest any part.
  enum class Failure { process, power };
  void crash(Failure failure);
  void recover();

  void set_full(bool full) { full_ = full; }
  void set_flush_failures(unsigned per_mille) { flush_failures_ = per_mille; }
  std::int64_t writes() const { return writes_; }          // calls
  std::int64_t refused() const { return refused_; }        // writes, because it was full
  std::int64_t flush_failed() const { return flush_failed_; }

  struct Change {
    std::size_t offset;
    std::string bytes;  // empty: the file ends at `offset`
  };
  struct File {
    std::string written, flushed;
    std::vector<Change> pending;  // written, not flushed
    std::vector<std::unique_ptr<std::string>> shared_memory;
    int holders = 0;  // connections that may be reading
  };
  std::shared_ptr<File> open(const std::string& name, bool create);
  void remove(const std::string& name) { files_.erase(name); }
  bool exists(const std::string& name) const { return files_.contains(name); }
  Dice& dice() { return dice_; }
  bool write(File& file, std::size_t offset, std::string_view bytes);  // false: full; what the file has room for is written all the same
  void cut(File& file, std::size_t size);
  bool flush(File& file);

 private:
  Dice dice_;
  const std::string name_;
  std::unique_ptr<sqlite3_vfs> registered_;
  std::map<std::string, std::shared_ptr<File>> files_;
  Content after_crash_;
  bool full_ = false;
  unsigned flush_failures_ = 0;
  std::int64_t writes_ = 0, refused_ = 0, flush_failed_ = 0;
};

}  // namespace shop::simulated

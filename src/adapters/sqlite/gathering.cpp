#include "adapters/sqlite/gathering.hpp"

#include <atomic>
#include <stdexcept>

#include <sqlite3.h>

namespace shop::sqlite {

struct Gathering::Registered : sqlite3_vfs {
  explicit Registered(sqlite3_vfs* vfs) : sqlite3_vfs(*vfs), below(vfs) {}
  sqlite3_vfs* below;
};

namespace {

constexpr int frame_head = 24;  // before each page in the log (sqlite.org/walformat.html); bytes 4 to 7 are not 0 if the page commits

// An open log's methods: those of the file system below, of which some are ours, and what those need.
struct Layer : sqlite3_io_methods {
  explicit Layer(const sqlite3_io_methods* methods) : sqlite3_io_methods(*methods), below(methods) {}

  const sqlite3_io_methods* below;
  std::string kept;        // what is to be written before `end`
  sqlite3_int64 end = -1;  // of the last write
  bool page_commits = false;
};

Layer& layer(sqlite3_file* file) { return *static_cast<Layer*>(const_cast<sqlite3_io_methods*>(file->pMethods)); }

int write_kept(sqlite3_file* file) {
  auto& own = layer(file);
  if (own.kept.empty()) return SQLITE_OK;
  const auto size = static_cast<int>(own.kept.size());
  const int code = own.below->xWrite(file, own.kept.data(), size, own.end - size);
  own.kept.clear();
  return code;
}

// What goes on where the last write ended is kept back up to the page that commits. Anything else is written at once: the log's own
// head, the first head of a transaction after one of another process, or after one that failed.
int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  auto& own = layer(file);
  const auto* bytes = static_cast<const char*>(from);
  const bool goes_on = offset == own.end;
  if (!goes_on || own.kept.size() + static_cast<std::size_t>(size) > Gathering::most) {
    if (const int code = write_kept(file); code != SQLITE_OK) return code;
  }
  const bool head = size == frame_head;
  if (head) own.page_commits = (bytes[4] | bytes[5] | bytes[6] | bytes[7]) != 0;
  own.end = offset + size;
  if (!goes_on) return own.below->xWrite(file, from, size, offset);
  own.kept.append(bytes, static_cast<std::size_t>(size));
  return own.page_commits && !head ? write_kept(file) : SQLITE_OK;
}

template <auto Method, class... Arguments>
int once_written(sqlite3_file* file, Arguments... arguments) {
  if (const int code = write_kept(file); code != SQLITE_OK) return code;
  return (layer(file).below->*Method)(file, arguments...);
}

int close(sqlite3_file* file) {
  const std::unique_ptr<Layer> own(&layer(file));
  file->pMethods = own->below;
  return own->below->xClose(file);
}

int open(sqlite3_vfs* below, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = below->xOpen(below, name, file, flags, out_flags);
  if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
  auto own = std::make_unique<Layer>(file->pMethods);
  own->xClose = close;
  own->xWrite = write;
  own->xRead = once_written<&sqlite3_io_methods::xRead>;
  own->xTruncate = once_written<&sqlite3_io_methods::xTruncate>;
  own->xSync = once_written<&sqlite3_io_methods::xSync>;
  own->xFileSize = once_written<&sqlite3_io_methods::xFileSize>;
  file->pMethods = own.release();
  return SQLITE_OK;
}

std::string next_name() {
  static std::atomic<int> count = 0;
  return "gathering-" + std::to_string(++count);
}

}  // namespace

Gathering::Gathering(const std::string& below) : name_(next_name()) {
  auto* found = sqlite3_vfs_find(below.empty() ? nullptr : below.c_str());
  if (!found) throw std::runtime_error("SQLite does not know the file system " + below + ".");
  registered_ = std::make_unique<Registered>(found);
  registered_->zName = name_.c_str();
  registered_->xOpen = [](sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    return open(static_cast<Registered*>(vfs)->below, name, file, flags, out_flags);
  };
  if (sqlite3_vfs_register(registered_.get(), 0) != SQLITE_OK) throw std::runtime_error("SQLite refused to gather what it writes.");
}

Gathering::~Gathering() { sqlite3_vfs_unregister(registered_.get()); }

}  // namespace shop::sqlite

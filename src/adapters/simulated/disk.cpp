#include "adapters/simulated/disk.hpp"

#include <cstring>
#include <stdexcept>

#include <sqlite3.h>

namespace shop::simulated {
namespace {

constexpr std::size_t sector = 512, page = 4096;

struct Handle {
  sqlite3_file base;
  Disk* disk;
  std::shared_ptr<Disk::File>* file;
  int level;
};

Handle& handle_of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
Disk::File& file_of(sqlite3_file* file) { return **handle_of(file).file; }

int unlock(sqlite3_file* handle, int level) {
  auto& own = handle_of(handle);
  if (own.level > SQLITE_LOCK_NONE && level == SQLITE_LOCK_NONE) --(*own.file)->holders;
  own.level = level;
  return SQLITE_OK;
}

int close(sqlite3_file* handle) {
  unlock(handle, SQLITE_LOCK_NONE);
  delete handle_of(handle).file;
  return SQLITE_OK;
}

int read(sqlite3_file* handle, void* into, int size, sqlite3_int64 offset) {
  const auto& data = file_of(handle).written;
  const auto from = std::min(static_cast<std::size_t>(offset), data.size());
  const auto there = std::min(static_cast<std::size_t>(size), data.size() - from);
  std::memcpy(into, data.data() + from, there);
  if (there == static_cast<std::size_t>(size)) return SQLITE_OK;
  std::memset(static_cast<char*>(into) + there, 0, static_cast<std::size_t>(size) - there);
  return SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* handle, const void* from, int size, sqlite3_int64 offset) {
  const std::string_view bytes(static_cast<const char*>(from), static_cast<std::size_t>(size));
  return handle_of(handle).disk->write(file_of(handle), static_cast<std::size_t>(offset), bytes) ? SQLITE_OK : SQLITE_FULL;
}

int truncate(sqlite3_file* handle, sqlite3_int64 size) {
  handle_of(handle).disk->cut(file_of(handle), static_cast<std::size_t>(size));
  return SQLITE_OK;
}

int sync(sqlite3_file* handle, int) { return handle_of(handle).disk->flush(file_of(handle)) ? SQLITE_OK : SQLITE_IOERR_FSYNC; }

int file_size(sqlite3_file* handle, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(file_of(handle).written.size());
  return SQLITE_OK;
}

// One thread, and every transaction runs to its end: locks matter only to whoever closes a file, who must know he is the last.
int lock(sqlite3_file* handle, int level) {
  auto& own = handle_of(handle);
  const bool holds = own.level > SQLITE_LOCK_NONE;
  if (level == SQLITE_LOCK_EXCLUSIVE && (*own.file)->holders > (holds ? 1 : 0)) return SQLITE_BUSY;
  if (!holds) ++(*own.file)->holders;
  own.level = std::max(own.level, level);
  return SQLITE_OK;
}

int reserved(sqlite3_file*, int* out) {
  *out = 0;
  return SQLITE_OK;
}

int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 4096; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map_shared(sqlite3_file* handle, int region, int size, int extend, void volatile** out) {
  auto& regions = file_of(handle).shared_memory;
  const auto index = static_cast<std::size_t>(region);
  *out = nullptr;
  if (index >= regions.size() && !extend) return SQLITE_OK;
  while (regions.size() <= index) regions.push_back(std::make_unique<std::string>(static_cast<std::size_t>(size), '\0'));
  *out = regions[index]->data();
  return SQLITE_OK;
}

int lock_shared(sqlite3_file*, int, int, int) { return SQLITE_OK; }
void barrier(sqlite3_file*) {}

int unmap_shared(sqlite3_file* handle, int remove) {
  if (remove) file_of(handle).shared_memory.clear();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods methods{2,    close,    read,    write,       truncate,        sync,       file_size, lock,         unlock,
                                     reserved, control, sector_size, characteristics, map_shared, lock_shared, barrier, unmap_shared, nullptr, nullptr};

Disk& disk_of(sqlite3_vfs* vfs) { return *static_cast<Disk*>(vfs->pAppData); }

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* handle, int flags, int* out_flags) {
  auto& own = handle_of(handle);
  own.base.pMethods = nullptr;
  auto file = name ? disk_of(vfs).open(name, (flags & SQLITE_OPEN_CREATE) != 0) : std::make_shared<Disk::File>();
  if (!file) return SQLITE_CANTOPEN;
  own.disk = &disk_of(vfs);
  own.file = new std::shared_ptr<Disk::File>(std::move(file));
  own.level = SQLITE_LOCK_NONE;
  own.base.pMethods = &methods;
  if (out_flags) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int) {
  disk_of(vfs).remove(name);
  return SQLITE_OK;
}

int access_file(sqlite3_vfs* vfs, const char* name, int, int* out) {
  *out = disk_of(vfs).exists(name);
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int size, char* out) {
  disk_of(vfs).dice().fill({reinterpret_cast<std::uint8_t*>(out), static_cast<std::size_t>(size)});
  return size;
}

int sleep_for(sqlite3_vfs*, int microseconds) { return microseconds; }

int current_time_ms(sqlite3_vfs*, sqlite3_int64* out) {
  *out = 212'649'600'000'000;  // a day in 2026, as a Julian day in milliseconds
  return SQLITE_OK;
}

int current_time(sqlite3_vfs* vfs, double* out) {
  sqlite3_int64 ms = 0;
  current_time_ms(vfs, &ms);
  *out = static_cast<double>(ms) / 86'400'000.0;
  return SQLITE_OK;
}

int last_error(sqlite3_vfs*, int, char*) { return 0; }

void apply(std::string& data, std::size_t offset, std::string_view bytes) {
  if (data.size() < offset + bytes.size()) data.resize(offset + bytes.size());
  data.replace(offset, bytes.size(), bytes);
}

std::string next_name() {
  static int count = 0;
  return "simulated-" + std::to_string(++count);
}

}  // namespace

Disk::Disk(Dice dice) : dice_(dice), name_(next_name()), registered_(std::make_unique<sqlite3_vfs>()) {
  *registered_ = {2,           sizeof(Handle), 512,     nullptr,   name_.c_str(), this,       open_file,    delete_file,  access_file,
                  full_path,   nullptr,        nullptr, nullptr,   nullptr,       randomness, sleep_for,    current_time, last_error,
                  current_time_ms, nullptr,    nullptr, nullptr};
  if (sqlite3_vfs_register(registered_.get(), 0) != SQLITE_OK) throw std::runtime_error("SQLite refused the simulated disk.");
}

Disk::~Disk() { sqlite3_vfs_unregister(registered_.get()); }

Disk::Content Disk::content() const {
  Content all;
  for (const auto& [name, file] : files_) all.emplace(name, file->written);
  return all;
}

void Disk::put(Content content) {
  files_.clear();
  for (auto& [name, bytes] : content) {
    auto file = std::make_shared<File>();
    file->flushed = bytes;
    file->written = std::move(bytes);
    files_.emplace(name, std::move(file));
  }
}

void Disk::crash(Failure failure) {
  after_crash_.clear();
  for (const auto& [name, file] : files_) {
    if (failure == Failure::process) {
      after_crash_.emplace(name, file->written);
      continue;
    }
    // Of what was not flushed the disk may have kept anything, in any order, a write possibly cut at a sector.
    auto bytes = file->flushed;
    const auto mood = dice_.below(3);
    for (const auto& change : file->pending) {
      if (mood == 0 || (mood == 1 && dice_.chance(500))) continue;
      if (change.bytes.empty()) {
        bytes.resize(change.offset);
      } else {
        const bool torn = mood == 1 && change.bytes.size() > sector && dice_.chance(200);
        const auto kept = torn ? sector * dice_.below(change.bytes.size() / sector) : change.bytes.size();
        apply(bytes, change.offset, std::string_view(change.bytes).substr(0, kept));
      }
    }
    after_crash_.emplace(name, std::move(bytes));
  }
}

void Disk::recover() {
  full_ = false;
  put(std::move(after_crash_));
}

std::shared_ptr<Disk::File> Disk::open(const std::string& name, bool create) {
  const auto it = files_.find(name);
  if (it != files_.end()) return it->second;
  if (!create) return nullptr;
  return files_.emplace(name, std::make_shared<File>()).first->second;
}

bool Disk::write(File& file, std::size_t offset, std::string_view bytes) {
  ++writes_;
  const auto there = file.written.size() - std::min(offset, file.written.size());
  const bool refuses = full_ && bytes.size() > there;
  if (refuses) {
    ++refused_;
    bytes = bytes.substr(0, there);
  }
  while (!bytes.empty()) {  // page by page, as they will reach the disk: in any order
    const auto piece = bytes.substr(0, page - offset % page);
    apply(file.written, offset, piece);
    file.pending.push_back({offset, std::string(piece)});
    offset += piece.size();
    bytes.remove_prefix(piece.size());
  }
  return !refuses;
}

void Disk::cut(File& file, std::size_t size) {
  file.written.resize(size);
  file.pending.push_back({size, {}});
}

bool Disk::flush(File& file) {
  if (dice_.chance(flush_failures_)) {
    ++flush_failed_;
    return false;
  }
  for (const auto& change : file.pending) {
    if (change.bytes.empty()) file.flushed.resize(change.offset);
    else apply(file.flushed, change.offset, change.bytes);
  }
  file.pending.clear();
  return true;
}

}  // namespace shop::simulated

#include "adapters/folder/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>

namespace shop {
namespace {

constexpr std::string_view temporary = ".upload-";
constexpr hours abandoned{1};
constexpr seconds reuse{10};  // so long a file that was deleted by hand may still be seen

std::shared_ptr<const int> owned(int descriptor) {
  return {new int(descriptor), [](const int* d) {
            ::close(*d);
            delete d;
          }};
}

bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && name.front() != '.' && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

Failure refused(std::string_view what) {
  const int number = errno;
  const bool full = number == ENOSPC || number == EDQUOT;
  return fail(Code::unavailable, full ? "The storage for files is full." : "The storage for files cannot be used.", full ? "STORAGE_FULL" : "",
              fmt::format("{}: {}", what, std::strerror(number)));
}

Failure no_file() { return fail(Code::not_found, "There is no such file."); }

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Never replaces: the file that is there keeps its content. File systems that do not know the flag get a second link.
bool give_name(int folder, const std::string& from, const std::string& name) {
  if (::renameat2(folder, from.c_str(), folder, name.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EINVAL || errno == ENOSYS) {
    if (::linkat(folder, from.c_str(), folder, name.c_str(), 0) == 0) return ::unlinkat(folder, from.c_str(), 0) == 0;
  }
  if (errno != EEXIST) return false;
  ::unlinkat(folder, from.c_str(), 0);
  return true;
}

Result<void> put_file(int folder, const std::string& name, const std::string& from, std::string_view bytes) {
  struct stat present {};
  if (::fstatat(folder, name.c_str(), &present, AT_SYMLINK_NOFOLLOW) != 0) {
    const auto file = owned(::openat(folder, from.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (*file < 0) return refused("open");
    if (!write_all(*file, bytes) || ::fsync(*file) != 0 || !give_name(folder, from, name)) {
      auto failure = refused("write");
      ::unlinkat(folder, from.c_str(), 0);
      return failure;
    }
  }
  if (::fsync(folder) != 0) return refused("fsync");  // also for a name that another process is just making
  return {};
}

// Kernels and sandboxes without openat2 get the same from the checked name, which has no slash.
int open_beneath(int folder, const std::string& name) {
  open_how how{};
  how.flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const auto opened = static_cast<int>(::syscall(SYS_openat2, folder, name.c_str(), &how, sizeof how));
  if (opened >= 0 || (errno != ENOSYS && errno != EPERM)) return opened;
  return ::openat(folder, name.c_str(), static_cast<int>(how.flags));
}

Result<FileRange> open_file(int folder, const std::string& name) {
  const auto file = owned(open_beneath(folder, name));
  if (*file < 0) {
    if (errno == ENOENT || errno == ELOOP || errno == EXDEV || errno == ENAMETOOLONG || errno == ENXIO) return no_file();
    return refused("open");
  }
  struct stat found {};
  if (::fstat(*file, &found) != 0) return refused("fstat");
  if (!S_ISREG(found.st_mode)) return no_file();
  return FileRange{file, 0, static_cast<std::uint64_t>(found.st_size)};
}

void remove_abandoned(int folder, Instant now) {
  DIR* listing = ::fdopendir(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listing) return;
  while (const auto* entry = ::readdir(listing)) {
    if (!std::string_view(entry->d_name).starts_with(temporary)) continue;
    struct stat found {};
    if (::fstatat(folder, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (Instant{static_cast<std::int64_t>(found.st_mtime) * 1000} < now - abandoned) ::unlinkat(folder, entry->d_name, 0);
  }
  ::closedir(listing);
}

std::shared_ptr<const int> open_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  auto folder = owned(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (*folder < 0 || ::faccessat(*folder, ".", W_OK | X_OK, 0) != 0) {
    throw std::runtime_error(fmt::format("The folder {} for files cannot be used: {}.", path, std::strerror(errno)));
  }
  return folder;
}

}  // namespace

FolderBlobs::FolderBlobs(const std::string& path, WorkerPool& workers, Clock& clock, Random& random)
    : folder_(open_folder(path)), workers_(workers), clock_(clock), random_(random) {
  remove_abandoned(*folder_, clock_.wall());
}

Task<Result<void>> FolderBlobs::put(const Context& context, std::string name, std::string bytes) {
  if (!valid_name(name)) co_return fail(Code::invalid, "A file's name is 1 to 100 of a-z, 0-9, point and hyphen.");
  auto from = fmt::format("{}{}", temporary, random_.token());
  co_return co_await workers_.run(context, [folder = folder_, name = std::move(name), from = std::move(from), bytes = std::move(bytes)] {
    return put_file(*folder, name, from, bytes);
  });
}

Task<Result<FileRange>> FolderBlobs::open(const Context& context, std::string name) {
  if (!valid_name(name)) co_return no_file();
  const auto now = clock_.now();
  if (auto known = opened_.get(name); known && now - known->at < reuse) co_return std::move(known->file);
  CO_TRY(auto file, co_await workers_.run(context, [folder = folder_, name] { return open_file(*folder, name); }));
  opened_.put(name, {file, now});
  co_return file;
}

Task<Result<void>> FolderBlobs::ping(const Context& context) {
  co_return co_await workers_.run(context, [folder = folder_]() -> Result<void> {
    if (::faccessat(*folder, ".", W_OK | X_OK, 0) != 0) return refused("access");
    return {};
  });
}

}  // namespace shop

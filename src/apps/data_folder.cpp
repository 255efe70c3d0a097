#include "apps/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>

namespace shop {
namespace {

constexpr int layout_version = 1;

void check_version(const std::filesystem::path& path) {
  const auto file = path / "VERSION";
  if (std::ifstream in(file); in) {
    int version = 0;
    if (!(in >> version) || version < 1) {
      throw std::runtime_error(fmt::format("{} is damaged: restore it, or move the folder away.", file.string()));
    }
    if (version > layout_version) {
      throw std::runtime_error(fmt::format("{} was written by a newer program (layout {}, this one knows {}): start that one.",
                                           path.string(), version, layout_version));
    }
    return;
  }
  std::ofstream out(file);
  out << layout_version << '\n';
  out.flush();
  if (!out) throw std::runtime_error(fmt::format("{} cannot be written: is the disk full, or the folder read-only?", file.string()));
}

}  // namespace

std::optional<DataFolder> DataFolder::lock(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw std::runtime_error(fmt::format("The data folder {} cannot be made: {}.", path.string(), error.message()));
  std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  const auto absolute = std::filesystem::absolute(path);
  const int lock = ::open((absolute / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    throw std::runtime_error(fmt::format("The data folder {} cannot be used: {}.", path.string(), std::strerror(errno)));
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return std::nullopt;
  }
  DataFolder folder(absolute, lock);
  check_version(absolute);
  std::filesystem::create_directories(absolute / "images", error);
  if (error) throw std::runtime_error(fmt::format("{} cannot be made: {}.", (absolute / "images").string(), error.message()));
  return folder;
}

DataFolder::DataFolder(DataFolder&& other) noexcept : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataFolder::~DataFolder() {
  if (lock_ >= 0) ::close(lock_);
}

std::string control_socket(const std::filesystem::path& folder) {
  const std::string direct = folder / "control.sock";
  if (direct.size() < 100) return direct;
  static const int directory = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  return fmt::format("/proc/self/fd/{}/control.sock", directory);
}

}  // namespace shop

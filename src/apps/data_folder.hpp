// The folder that holds a shop in one process: locked while somebody uses it, marked with the version that wrote it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace shop {

class DataFolder {
 public:
  // Creates what is missing. Nothing when another process holds it.
  // Throws std::runtime_error with a sentence when it cannot be used: no right to write, a full disk, a newer version.
  static std::optional<DataFolder> lock(const std::filesystem::path& path);

  DataFolder(DataFolder&& other) noexcept;
  ~DataFolder();

  const std::filesystem::path& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ / name; }

 private:
  DataFolder(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::filesystem::path path_;
  int lock_;
};

// The control socket of the shop that runs on the folder, as a path short enough for a socket address however deep the
// folder lies. Valid in this process, as long as it lives.
std::string control_socket(const std::filesystem::path& folder);

}  // namespace shop

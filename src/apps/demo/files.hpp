// The files of the folder demo/ as the build found them.
#pragma once

#include <span>
#include <string_view>

namespace shop {

struct DemoFile {
  std::string_view name, bytes;
};

std::span<const DemoFile> demo_files();

}  // namespace shop

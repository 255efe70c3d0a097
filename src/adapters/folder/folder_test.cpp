#include "adapters/folder/folder.hpp"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/system/system.hpp"
#include "base/run_to_end.hpp"

namespace shop {
namespace {

namespace fs = std::filesystem;

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    std::string pattern = fs::temp_directory_path() / "shop-folder-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~FolderTest() override { fs::remove_all(path_); }

  FolderBlobs blobs() { return FolderBlobs(path_, workers_, clock_, random_); }

  std::string content(const FileRange& file) {
    std::string text(file.size, '\0');
    EXPECT_EQ(::pread(*file.descriptor, text.data(), text.size(), static_cast<off_t>(file.offset)), static_cast<ssize_t>(text.size()));
    return text;
  }

  std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator())); }

  fs::path path_;
  SystemClock clock_;
  SystemRandom random_;
  WorkerPool workers_{"files", 4, 64};
  const Context context_;
};

TEST_F(FolderTest, KeepsAFileUnderItsNameForEver) {
  auto store = blobs();
  const std::string bytes("a\0b", 3);
  ASSERT_TRUE(run_to_end(store.put(context_, "x.png", bytes)));
  EXPECT_EQ(content(*run_to_end(store.open(context_, "x.png"))), bytes);
  ASSERT_TRUE(run_to_end(store.put(context_, "x.png", "other")));
  EXPECT_EQ(content(*run_to_end(store.open(context_, "x.png"))), bytes) << "a name keeps its content";
  ASSERT_TRUE(run_to_end(store.put(context_, "empty", "")));
  EXPECT_EQ(run_to_end(store.open(context_, "empty"))->size, 0);
  EXPECT_EQ(files(), 2) << "no temporary name is left";
  EXPECT_EQ(run_to_end(store.open(context_, "y.png")).error().code, Code::not_found);
  EXPECT_TRUE(run_to_end(store.ping(context_)));
}

TEST_F(FolderTest, AnOpenFileCanBeReadOnlyAndOutlivesItsStore) {
  std::optional<FileRange> file;
  {
    auto store = blobs();
    ASSERT_TRUE(run_to_end(store.put(context_, "x", "text")));
    file = *run_to_end(store.open(context_, "x"));
    EXPECT_EQ(::fcntl(*file->descriptor, F_GETFL) & O_ACCMODE, O_RDONLY);
    EXPECT_TRUE(::fcntl(*file->descriptor, F_GETFD) & FD_CLOEXEC);
  }
  EXPECT_EQ(content(*file), "text");
}

TEST_F(FolderTest, NamesAreFlat) {
  auto store = blobs();
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("../x"), std::string("a/b"), std::string("/etc/passwd"),
        std::string(".hidden"), std::string("A"), std::string("a b"), std::string("a\0b", 3), std::string("é"), std::string(101, 'a')}) {
    EXPECT_EQ(run_to_end(store.put(context_, name, "x")).error().code, Code::invalid) << name;
    EXPECT_EQ(run_to_end(store.open(context_, name)).error().code, Code::not_found) << name;
  }
  EXPECT_TRUE(run_to_end(store.put(context_, std::string(100, 'a'), "x")));
}

TEST_F(FolderTest, FollowsNothingAndOpensFilesOnly) {
  fs::create_symlink("/etc/passwd", path_ / "link");
  fs::create_symlink("missing", path_ / "dangling");
  fs::create_directory(path_ / "folder");
  ASSERT_EQ(::mkfifo((path_ / "pipe").c_str(), 0600), 0);
  auto store = blobs();
  for (const auto* name : {"link", "dangling", "folder", "pipe"}) EXPECT_EQ(run_to_end(store.open(context_, name)).error().code, Code::not_found) << name;
  ASSERT_TRUE(run_to_end(store.put(context_, "dangling", "x")));
  EXPECT_FALSE(fs::exists(path_ / "missing")) << "a link is not written through";
}

TEST_F(FolderTest, WhatACrashLeftGoesAfterAnHour) {
  std::ofstream(path_ / ".upload-old") << "half";
  std::ofstream(path_ / ".upload-new") << "half";
  std::ofstream(path_ / "kept") << "whole";
  fs::last_write_time(path_ / ".upload-old", fs::file_time_type::clock::now() - hours(2));
  fs::last_write_time(path_ / "kept", fs::file_time_type::clock::now() - hours(2));
  const auto store = blobs();
  EXPECT_FALSE(fs::exists(path_ / ".upload-old"));
  EXPECT_TRUE(fs::exists(path_ / ".upload-new"));
  EXPECT_TRUE(fs::exists(path_ / "kept"));
}

// A limit of the process on the size of files stands for a full disk: the write ends in the middle.
TEST_F(FolderTest, AWriteThatFailsLeavesNothing) {
  auto store = blobs();
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto refused = run_to_end(store.put(context_, "large", std::string(100'000, 'x')));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unavailable);
  EXPECT_EQ(files(), 0);
  EXPECT_TRUE(run_to_end(store.put(context_, "large", std::string(100'000, 'x'))));
}

TEST_F(FolderTest, ManyWritersOfOneNameMakeOneFile) {
  auto store = blobs();
  boost::asio::io_context loop;
  std::vector<std::future<Result<void>>> running;
  for (int i = 0; i < 40; ++i) {
    running.push_back(boost::asio::co_spawn(loop, store.put(context_, "same", std::string(10'000, 'a')), boost::asio::use_future));
  }
  loop.run();
  for (auto& each : running) EXPECT_TRUE(each.get());
  EXPECT_EQ(files(), 1);
  EXPECT_EQ(run_to_end(store.open(context_, "same"))->size, 10'000);
}

TEST_F(FolderTest, AFolderThatCannotBeUsedStopsTheStart) {
  std::ofstream(path_ / "file") << "x";
  EXPECT_THROW(FolderBlobs(path_ / "file", workers_, clock_, random_), std::runtime_error);
  EXPECT_THROW(FolderBlobs(path_ / "file" / "below", workers_, clock_, random_), std::runtime_error);
  const FolderBlobs made(path_ / "a" / "b", workers_, clock_, random_);
  EXPECT_TRUE(fs::is_directory(path_ / "a" / "b"));
}

}  // namespace
}  // namespace shop

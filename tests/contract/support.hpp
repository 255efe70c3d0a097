// What the contract suites share: addresses of the real components, threads, names that nobody else uses.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "adapters/system/system.hpp"
#include "base/context.hpp"
#include "base/worker_pool.hpp"
#include "net/io_threads.hpp"

namespace shop::contract {

struct Address {
  std::string host;
  std::uint16_t port = 0;
  std::string text() const { return fmt::format("{}:{}", host, port); }
};

// "SHOP_TEST_REDIS" -> its host and port. A component that is not there fails the test that needs it.
inline Address required(const char* variable) {
  const char* given = ::getenv(variable);
  if (!given) {
    throw std::runtime_error(
        fmt::format("{} is not set: it names the host:port of a running component; tests/contract/run starts them all.", variable));
  }
  const std::string_view text(given);
  const auto colon = text.rfind(':');
  if (colon == text.npos) throw std::runtime_error(fmt::format("{}={} is not host:port.", variable, text));
  return {std::string(text.substr(0, colon)), static_cast<std::uint16_t>(std::stoi(std::string(text.substr(colon + 1))))};
}

// Threads and the real world; the first thing made and the last to go.
struct Stage {
  SystemClock clock;
  SystemRandom random;
  net::IoThreads threads{4};
  WorkerPool workers{"workers", 4, 256};
};

inline Stage& stage() {
  static Stage one;
  return one;
}

template <class T>
T await_on(boost::asio::io_context& loop, Task<T> task) {
  return boost::asio::co_spawn(loop, std::move(task), boost::asio::use_future).get();
}

template <class T>
T await(Task<T> task) {
  return await_on(stage().threads.at(1), std::move(task));
}

inline Context within(milliseconds limit) {
  Context context;
  context.deadline = std::chrono::steady_clock::now() + limit;
  return context;
}

inline std::string fresh_name(std::string_view what) {
  return fmt::format("{}_{}", what, stage().random.token().substr(0, 12));
}

// True as soon as `holds` does; false when it does not in time.
inline bool eventually(milliseconds limit, const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "shop-contract-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string file(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

class Elapsed {
 public:
  milliseconds time() const { return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun_); }

 private:
  Monotonic begun_ = std::chrono::steady_clock::now();
};

template <class T>
std::string why(const Result<T>& result) {
  return result ? "success" : fmt::format("{} {} ({})", traits(result.error().code).name, result.error().message, result.error().detail);
}

}  // namespace shop::contract

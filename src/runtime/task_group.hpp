// Every coroutine that is started rather than awaited belongs to a group that is counted and can be waited for.
#pragma once

#include <atomic>
#include <cstdio>
#include <exception>
#include <thread>

#include <boost/asio/co_spawn.hpp>

#include "base/task.hpp"
#include "base/time.hpp"

namespace shop {

class TaskGroup {
 public:
  // An exception that leaves the task is a bug: the process ends with its message.
  template <class Executor>
  void spawn(Executor&& executor, Task<> task) {
    running_.fetch_add(1);
    boost::asio::co_spawn(executor, std::move(task), [this](std::exception_ptr thrown) {
      running_.fetch_sub(1);
      if (thrown) std::rethrow_exception(thrown);
    });
  }

  std::size_t running() const { return running_.load(); }

  // Blocks the calling thread, which must not be one that runs the tasks. False when some still run at `deadline`.
  bool wait(Monotonic deadline) const {
    while (running() > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(1));
    return running() == 0;
  }

 private:
  std::atomic<std::size_t> running_{0};
};

}  // namespace shop

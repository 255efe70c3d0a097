// Threads for work that blocks or computes long (hashing, pictures, a library without an asynchronous side), so that the I/O
// threads never do. Bounded: what does not fit into the queue is refused at once, what waited past its deadline is not begun.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/await_callback.hpp"
#include "base/context.hpp"
#include "base/result.hpp"

namespace shop {

class WorkerPool {
 public:
  // `yields`: its threads get the processor after others that want it, for work so long that a visitor would notice.
  WorkerPool(std::string name, std::size_t threads, std::size_t queue, bool yields = false);
  ~WorkerPool();

  // The function runs on one of the threads and returns a Result. unavailable: the queue is full; timed_out: too late.
  template <class F>
  auto run(const Context& context, F function) -> Task<std::invoke_result_t<F>> {
    using Outcome = std::invoke_result_t<F>;
    co_return co_await await_callback<Outcome>([&](Callback<Outcome> done) {
      auto shared = std::make_shared<Callback<Outcome>>(std::move(done));
      const bool taken = submit([function = std::move(function), shared, deadline = context.deadline]() mutable {
        if (std::chrono::steady_clock::now() < deadline) (*shared)(function());
        else (*shared)(fail(Code::timed_out, "There was no time left for the request."));
      });
      if (!taken) {
        (*shared)(fail(busy("Too many requests wait for this.")));
      }
    });
  }

  // Work that nobody waits for. False when the queue is full: then it is not done.
  bool post(std::move_only_function<void()> job) { return submit(std::move(job)); }

  // Finishes what waits and ends the threads; what comes later is refused. The destructor does so too.
  void stop();

  std::size_t waiting() const;

 private:
  using Job = std::move_only_function<void()>;
  bool submit(Job job);
  void work();

  const std::string name_;
  const std::size_t limit_;
  const bool yields_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Job> jobs_;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace shop

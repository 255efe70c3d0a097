#include "base/worker_pool.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/slice.hpp"

namespace shop {

WorkerPool::WorkerPool(std::string name, std::size_t threads, std::size_t queue, bool yields)
    : name_(std::move(name)), limit_(queue), yields_(yields) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  arrived_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool WorkerPool::submit(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || jobs_.size() >= limit_) return false;
    jobs_.push_back(std::move(job));
  }
  arrived_.notify_one();  // who wakes finds the lock free
  return true;
}

void WorkerPool::work() {
  ::prctl(PR_SET_NAME, name_.substr(0, 15).c_str());
  if (yields_) ::setpriority(PRIO_PROCESS, 0, 10);  // on Linux of the thread alone; a tenth of the processor is left to it in any case
  ask_for_long_turns();
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [&] { return closed_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

std::size_t WorkerPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

}  // namespace shop

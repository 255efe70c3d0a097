// The one shape of background work (relay, sweeper, consumer, rebuilder, watcher): read the present state, act, and come
// back when there is more, when woken, or after the period; after a failure, later and later up to a limit.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/context.hpp"
#include "base/result.hpp"
#include "ports/clock.hpp"

namespace shop {

struct LoopOptions {
  std::string name;
  milliseconds period{1000};        // between looks when nothing wakes it
  milliseconds gather{0};           // least time between the beginnings of two steps, unless there is more to do: what comes meanwhile is done together
  milliseconds step_limit{30'000};  // the deadline given to one step
  milliseconds backoff_first{50};
  milliseconds backoff_max{1000};  // what is back is used within a second
  bool quiet = false;              // somebody else tells the log of its failures
};

class Loop {
 public:
  // true: there is more to do at once.
  using Step = std::move_only_function<Task<Result<bool>>(const Context&)>;

  Loop(Clock& clock, LoopOptions options, Step step);

  Task<> run();  // until stop()
  void wake();   // from any thread
  void stop();   // ends after the present step
  bool stopping() const { return stopping_; }  // for steps that take long

  const std::string& name() const { return options_.name; }

 private:
  Clock& clock_;
  const LoopOptions options_;
  Step step_;
  const std::unique_ptr<Alarm> alarm_;
  std::atomic<bool> stopping_{false};
};

}  // namespace shop

#include "runtime/loop.hpp"

#include "observe/log.hpp"

namespace shop {

Loop::Loop(Clock& clock, LoopOptions options, Step step)
    : clock_(clock), options_(std::move(options)), step_(std::move(step)), alarm_(clock.alarm()) {}

Task<> Loop::run() {
  milliseconds backoff = options_.backoff_first;
  bool failing = false;
  while (!stopping_) {
    Context context;
    const auto begun = clock_.now();
    context.deadline = begun + options_.step_limit;
    const auto outcome = co_await step_(context);
    if (stopping_) break;
    if (outcome) {
      if (std::exchange(failing, false) && !options_.quiet) log(Severity::info, options_.name, "works again");
      backoff = options_.backoff_first;
      if (*outcome) continue;
      co_await alarm_->wait_until(clock_.now() + options_.period);
      if (const auto left = begun + options_.gather - clock_.now(); left > Monotonic::duration::zero() && !stopping_) {
        co_await clock_.sleep(std::chrono::ceil<milliseconds>(left));
      }
    } else {
      if (!std::exchange(failing, true) && !options_.quiet) {
        log(Severity::warning, options_.name, outcome.error().message, {{"detail", outcome.error().detail}});
      }
      co_await alarm_->wait_until(clock_.now() + backoff);
      backoff = std::min(backoff * 2, options_.backoff_max);
    }
  }
}

void Loop::wake() { alarm_->wake(); }

void Loop::stop() {
  stopping_ = true;
  alarm_->wake();
}

}  // namespace shop

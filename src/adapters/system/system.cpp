#include "adapters/system/system.hpp"

#include <sys/random.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace shop {
namespace {

namespace asio = boost::asio;

class TimerAlarm final : public Alarm {
 public:
  Task<> wait_until(Monotonic at) override {
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, at);
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(woken_, false)) co_return;
      timer_ = &timer;
      executor_ = executor;
    }
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    const std::lock_guard lock(mutex_);
    timer_ = nullptr;
    woken_ = false;
  }

  void wake() override {
    const std::lock_guard lock(mutex_);
    if (std::exchange(woken_, true) || !timer_) return;
    asio::post(*executor_, [this] {
      const std::lock_guard inner(mutex_);
      if (timer_) timer_->cancel();
    });
  }

 private:
  std::mutex mutex_;
  bool woken_ = false;
  asio::steady_timer* timer_ = nullptr;
  std::optional<asio::any_io_executor> executor_;
};

}  // namespace

Instant SystemClock::wall() const {
  return {std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

Monotonic SystemClock::now() const { return std::chrono::steady_clock::now(); }

std::unique_ptr<Alarm> SystemClock::alarm() { return std::make_unique<TimerAlarm>(); }

Task<> SystemClock::sleep(milliseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void SystemRandom::fill(std::span<std::uint8_t> out) {
  // A call to the kernel costs more than what an id needs, so each thread keeps some in stock.
  thread_local std::array<std::uint8_t, 256> stock;
  thread_local std::size_t used = stock.size();
  while (!out.empty()) {
    if (used == stock.size()) {
      if (::getrandom(stock.data(), stock.size(), 0) != static_cast<ssize_t>(stock.size())) {
        std::perror("getrandom");
        std::abort();
      }
      used = 0;
    }
    const std::size_t part = std::min(out.size(), stock.size() - used);
    std::memcpy(out.data(), stock.data() + used, part);
    ::explicit_bzero(stock.data() + used, part);
    used += part;
    out = out.subspan(part);
  }
}

}  // namespace shop

// Deadlines for connections, cheap enough to change on every request: one coarse tick per I/O thread looks at them all.
#pragma once

#include <functional>
#include <vector>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/time.hpp"

namespace shop::net {

inline constexpr milliseconds tick{25};  // how late a deadline may be noticed

class Timeouts;

// Calls `expire` once when its time has come. Used on its I/O thread only.
class Watch {
 public:
  Watch(boost::asio::io_context& context, std::move_only_function<void()> expire);
  ~Watch();
  Watch(const Watch&) = delete;

  void until(Monotonic at) { at_ = at; }
  void in(milliseconds duration) { at_ = std::chrono::steady_clock::now() + duration; }
  void never() { at_ = Monotonic::max(); }
  bool expired() const { return expired_; }

 private:
  friend Timeouts;
  Timeouts& owner_;
  std::size_t index_;
  Monotonic at_ = Monotonic::max();
  bool expired_ = false;
  std::move_only_function<void()> expire_;
};

class Timeouts final : public boost::asio::execution_context::service {
 public:
  using key_type = Timeouts;
  static inline boost::asio::execution_context::id id;

  explicit Timeouts(boost::asio::execution_context& context);

  std::size_t size() const { return watches_.size(); }

 private:
  friend Watch;
  void shutdown() override;
  void schedule();
  void look();

  boost::asio::steady_timer timer_;
  std::vector<Watch*> watches_;
  bool scheduled_ = false;
  bool stopped_ = false;
};

}  // namespace shop::net

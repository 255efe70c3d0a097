// A fixed set of I/O threads, each with its own loop. A connection lives on one of them for all its life.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace shop::net {

class IoThreads {
 public:
  explicit IoThreads(std::size_t count);  // threads start at once
  ~IoThreads();                           // stops and joins them

  boost::asio::io_context& first() { return *contexts_.front(); }
  boost::asio::io_context& next();  // in turn
  std::size_t count() const { return contexts_.size(); }
  boost::asio::io_context& at(std::size_t i) { return *contexts_[i]; }

  void stop();

 private:
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::vector<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guards_;
  std::vector<std::thread> threads_;
  std::atomic<std::size_t> turn_{0};
};

}  // namespace shop::net

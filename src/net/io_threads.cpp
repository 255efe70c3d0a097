#include "net/io_threads.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

namespace shop::net {

IoThreads::IoThreads(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    contexts_.push_back(std::make_unique<boost::asio::io_context>());
    guards_.emplace_back(contexts_.back()->get_executor());
  }
  for (std::size_t i = 0; i < count; ++i) {
    threads_.emplace_back([this, i] {
      ::prctl(PR_SET_NAME, fmt::format("io-{}", i).c_str());
      contexts_[i]->run();  // an exception here is a bug: the process ends with its message
    });
  }
}

IoThreads::~IoThreads() { stop(); }

boost::asio::io_context& IoThreads::next() {
  return *contexts_[turn_.fetch_add(1, std::memory_order_relaxed) % contexts_.size()];
}

void IoThreads::stop() {
  guards_.clear();
  for (auto& context : contexts_) context->stop();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace shop::net

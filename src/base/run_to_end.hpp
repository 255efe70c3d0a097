// Runs a task on this thread until it and whatever it waits for have ended: for unit tests, whose tasks wait for little.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "base/task.hpp"

namespace shop {

// The loop runs out before the result is taken: whoever answers from another thread has let go of it by then.
template <class T>
T run_to_end(Task<T> task) {
  boost::asio::io_context loop;
  auto future = boost::asio::co_spawn(loop, std::move(task), boost::asio::use_future);
  loop.run();
  return future.get();
}

}  // namespace shop

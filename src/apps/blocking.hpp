// Runs a task from a thread that may wait: main(), tests, shopctl.
#pragma once

#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "base/task.hpp"

namespace shop {

template <class T>
T run_blocking(boost::asio::io_context& context, Task<T> task) {
  return boost::asio::co_spawn(context, std::move(task), boost::asio::use_future).get();
}

}  // namespace shop

// Lets a coroutine wait for a callback from any thread; it resumes on its own executor.
#pragma once

#include <functional>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/task.hpp"

namespace shop {

template <class T>
using Callback = std::move_only_function<void(T)>;

// `start(callback)` must arrange that the callback is called exactly once.
template <class T, class Start>
Task<T> await_callback(Start start) {
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(
      [](auto handler, Start* begin) {
        auto executor = boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                            boost::asio::execution::outstanding_work.tracked);
        (*begin)(Callback<T>([handler = std::move(handler), executor = std::move(executor)](T value) mutable {
          boost::asio::post(executor, [handler = std::move(handler), value = std::move(value)]() mutable {
            handler(std::move(value));
          });
        }));
      },
      boost::asio::use_awaitable, &start);
}

}  // namespace shop

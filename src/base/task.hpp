// The coroutine type of the whole house. A Task starts when awaited and runs on its awaiter's executor.
//
// Rules: parameters by value, or references to what outlives the call (the caller's frame while it awaits, objects
// of the composition root); no capturing lambda is itself a coroutine; no lock is held across an await.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace shop {

template <class T = void>
using Task = boost::asio::awaitable<T>;

}  // namespace shop

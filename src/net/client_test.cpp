#include "net/client.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "net/server.hpp"

namespace shop::net {
namespace {

struct Hello final : Handler {
  Task<> serve(Exchange& exchange) override {
    Response response;
    response.body = std::string("hello");
    return exchange.send(std::move(response));
  }
};

class ClientPoolTest : public testing::Test {
 protected:
  std::string ask(const Server& server) {
    const Request request;
    const Context context;
    const Endpoint endpoint{.host = "127.0.0.1", .port = server.port(), .unix_socket = {}};
    const auto answer = boost::asio::co_spawn(threads_.first(), pool_->send(context, endpoint, request), boost::asio::use_future).get();
    return answer ? std::string(answer->text()) : answer.error().message;
  }

  // Whether it has so many within the time that a busy machine may need.
  static bool has(const Server& server, std::size_t connections) {
    for (int i = 0; i < 500 && server.connections() != connections; ++i) std::this_thread::sleep_for(milliseconds(10));
    return server.connections() == connections;
  }

  std::optional<ClientPool> pool_;  // outlives the threads that its connections belong to
  IoThreads threads_{1};
  Hello hello_;
  Server one_{threads_, {}, hello_}, other_{threads_, {}, hello_};
};

TEST_F(ClientPoolTest, AConnectionIsKept) {
  pool_.emplace();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(one_), "hello");
  EXPECT_TRUE(has(one_, 1));
}

TEST_F(ClientPoolTest, OneThatNobodyNeedsIsClosedThoughItsServerIsNotAskedAgain) {
  constexpr milliseconds lifetime(50);
  pool_.emplace(32, nullptr, lifetime);
  EXPECT_EQ(ask(one_), "hello");
  EXPECT_EQ(ask(other_), "hello");
  EXPECT_TRUE(has(one_, 1) && has(other_, 1));
  std::this_thread::sleep_for(lifetime + milliseconds(20));
  EXPECT_EQ(ask(other_), "hello");
  EXPECT_TRUE(has(one_, 0));
  EXPECT_TRUE(has(other_, 1));
}

}  // namespace
}  // namespace shop::net

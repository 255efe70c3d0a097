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

  // Its connections belong to the threads' loops: it ends after those threads, and before those loops.
  ~ClientPoolTest() override { threads_.stop(); }

  IoThreads threads_{1};
  Hello hello_;
  std::optional<ClientPool> pool_;
};

TEST_F(ClientPoolTest, AConnectionIsKept) {
  Server one(threads_, {}, hello_);
  pool_.emplace();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(one), "hello");
  EXPECT_TRUE(has(one, 1));
}

TEST_F(ClientPoolTest, OneThatNobodyNeedsIsClosedThoughItsServerIsNotAskedAgain) {
  constexpr milliseconds lifetime(50);
  Server one(threads_, {}, hello_), other(threads_, {}, hello_);
  pool_.emplace(32, nullptr, lifetime);
  EXPECT_EQ(ask(one), "hello");
  EXPECT_EQ(ask(other), "hello");
  std::this_thread::sleep_for(lifetime + milliseconds(20));
  EXPECT_EQ(ask(other), "hello");
  EXPECT_TRUE(has(one, 0));
  EXPECT_TRUE(has(other, 1));
}

}  // namespace
}  // namespace shop::net

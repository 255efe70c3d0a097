#include "net/server.hpp"

#include <gmock/gmock.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace shop::net {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Hello final : Handler {
  Task<> serve(Exchange& exchange) override {
    exchange.extra_headers().add("X-Of-A-Handler", "1");
    Response response;
    response.body = std::string("hello");
    return exchange.send(std::move(response));
  }
};

constexpr std::string_view whole_head = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    ServerOptions options;
    options.max_connections = 2;
    options.on_refused = [this](std::string_view reason) {
      reasons_.emplace_back(reason);
      Headers headers;
      headers.add("X-Request-Id", "given");
      headers.add("X-Of-Everybody", "yes");
      return headers;
    };
    server_.emplace(threads_, options, hello_);
  }

  asio::ip::tcp::socket connected() {
    asio::ip::tcp::socket socket(own_);
    socket.connect({asio::ip::make_address("127.0.0.1"), server_->port()});
    return socket;
  }

  // All that comes after `sent` until the server closes.
  static std::string answer(asio::ip::tcp::socket socket, std::string_view sent) {
    error_code error;
    asio::write(socket, asio::buffer(sent), error);
    std::string text;
    asio::read(socket, asio::dynamic_buffer(text), error);
    return text;
  }

  Hello hello_;
  IoThreads threads_{1};
  asio::io_context own_;
  std::vector<std::string> reasons_;
  std::optional<Server> server_;
};

void expect_refused(const std::string& answer, int status) {
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(status) + " "));
  EXPECT_THAT(answer, HasSubstr("X-Of-Everybody: yes\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Request-Id: given\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, HasSubstr("\"status\":" + std::to_string(status) + ","));
  EXPECT_THAT(answer, HasSubstr("\"requestId\":\"given\""));
}

TEST_F(ServerTest, ARefusedHeadIsAnsweredWithWhatEveryAnswerCarries) {
  expect_refused(answer(connected(), "GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(reasons_, std::vector<std::string>{"Host is missing or not valid"});
}

TEST_F(ServerTest, AHeadTooLargeSays431InItsBodyToo) {
  expect_refused(answer(connected(), "GET / HTTP/1.1\r\nHost: here\r\nX: " + std::string(20'000, 'a')), 431);
}

TEST_F(ServerTest, WhatARequestBeforeItCarriedIsNotInTheAnswer) {
  const auto both = answer(connected(), std::string(whole_head) + "GET /%2e HTTP/1.1\r\nHost: here\r\n\r\n");
  EXPECT_THAT(both, StartsWith("HTTP/1.1 200 "));
  const auto second = both.substr(both.find("hello") + 5);
  expect_refused(second, 400);
  EXPECT_THAT(second, Not(HasSubstr("X-Of-A-Handler")));
}

TEST_F(ServerTest, AConnectionTooManyIsTold) {
  auto first = connected(), second = connected();
  for (auto* socket : {&first, &second}) {  // served, so they are counted
    asio::write(*socket, asio::buffer(whole_head));
    std::string text(5, '\0');
    asio::read(*socket, asio::buffer(text));
  }
  const auto third = answer(connected(), {});
  expect_refused(third, 503);
  EXPECT_THAT(third, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(reasons_, std::vector<std::string>{"too many connections"});
}

}  // namespace
}  // namespace shop::net

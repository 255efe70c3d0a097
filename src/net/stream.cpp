#include "net/stream.hpp"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "net/timeouts.hpp"

namespace shop::net {
namespace {

namespace asio = boost::asio;

constexpr milliseconds silence{500}, goodbye{5000};
constexpr std::size_t farewell_bytes = 32 * 1024 * 1024;

class PlainStream final : public SocketStream {
 public:
  using SocketStream::SocketStream;

  Task<std::size_t> read_some(asio::mutable_buffer into, error_code& error) override {
    co_return co_await socket_.async_read_some(into, asio::redirect_error(asio::use_awaitable, error));
  }

  Task<> write(asio::const_buffer head, asio::const_buffer body, error_code& error) override {
    // Nearly always the kernel takes all at once: no need to ask the reactor first.
    std::array<asio::const_buffer, 2> buffers{head, body};
    const std::size_t total = head.size() + body.size();
    std::size_t sent = socket_.write_some(buffers, error);
    if (error == asio::error::would_block) error.clear();
    if (error || sent == total) co_return;
    if (sent < head.size()) {
      buffers[0] += sent;
    } else {
      buffers[1] += sent - head.size();
      buffers[0] = {};
    }
    co_await asio::async_write(socket_, buffers, asio::redirect_error(asio::use_awaitable, error));
  }

  Task<> write_file(const FileRange& file, error_code& error) override {
    auto offset = static_cast<off_t>(file.offset);
    for (std::uint64_t left = file.size; left > 0;) {
      const auto sent = ::sendfile(socket_.native_handle(), *file.descriptor, &offset, left);
      if (sent > 0) {
        left -= static_cast<std::uint64_t>(sent);
      } else if (sent < 0 && errno == EAGAIN) {
        co_await socket_.async_wait(Socket::wait_write, asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
      } else {
        error = sent == 0 ? error_code(asio::error::eof) : error_code(errno, boost::system::system_category());
        co_return;
      }
    }
  }
};

}  // namespace

SocketStream::SocketStream(Socket socket, asio::io_context& context) : socket_(std::move(socket)), context_(context) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
}

void SocketStream::cancel() {
  error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  socket_.cancel(ignored);
}

Task<> SocketStream::close() {
  error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  // Who still sends would get a reset and never read the answer: its bytes are taken and forgotten, within limits.
  Watch watch(context_, [this] { cancel(); });
  const auto latest = std::chrono::steady_clock::now() + goodbye;
  std::array<char, 16384> rest;
  for (std::size_t seen = 0; !error && seen < farewell_bytes;) {
    watch.until(std::min(latest, std::chrono::steady_clock::now() + silence));
    seen += co_await socket_.async_read_some(asio::buffer(rest), asio::redirect_error(asio::use_awaitable, error));
  }
  socket_.close(error);
}

std::string SocketStream::remote() const {
  error_code error;
  const auto endpoint = socket_.remote_endpoint(error);
  if (error) return {};
  if (endpoint.protocol().family() != AF_INET && endpoint.protocol().family() != AF_INET6) return {};
  asio::ip::tcp::endpoint tcp;
  if (endpoint.size() > tcp.capacity()) return {};
  std::memcpy(tcp.data(), endpoint.data(), endpoint.size());
  tcp.resize(endpoint.size());
  return tcp.address().to_string();
}

bool SocketStream::quiet() {
  char byte;
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}

std::unique_ptr<Stream> plain_stream(Socket socket, asio::io_context& context) {
  return std::make_unique<PlainStream>(std::move(socket), context);
}

}  // namespace shop::net

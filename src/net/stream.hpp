// A connection that carries bytes: TCP or a local (unix) socket, plain or TLS. Used on its I/O thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include "base/http.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

namespace shop::net {

using boost::system::error_code;
using Socket = boost::asio::generic::stream_protocol::socket;

class Stream {
 public:
  virtual ~Stream() = default;

  // Before anything else, with TLS. Its failure is unavailable, and says what was wrong with the other end.
  virtual Task<Result<void>> handshake() { co_return Result<void>(); }

  // 0 bytes with an error set: the other end is gone, or cancel() was called.
  virtual Task<std::size_t> read_some(boost::asio::mutable_buffer into, error_code& error) = 0;
  virtual Task<> write(boost::asio::const_buffer head, boost::asio::const_buffer body, error_code& error) = 0;
  virtual Task<> write_file(const FileRange& file, error_code& error) = 0;

  virtual void cancel() = 0;  // ends whatever waits, and every later operation
  virtual Task<> close() = 0;  // says goodbye, waits briefly for the other end so that the last answer arrives

  virtual boost::asio::io_context& context() = 0;
  virtual std::string remote() const = 0;   // address, without port; empty for a local socket
  virtual std::string_view peer() const { return {}; }  // the service that the other end's certificate names
  virtual bool quiet() = 0;                  // open, as far as is known, and nothing has come that was not read
};

// What plain and TLS have in common.
class SocketStream : public Stream {
 public:
  SocketStream(Socket socket, boost::asio::io_context& context);

  void cancel() override;
  Task<> close() override;
  boost::asio::io_context& context() override { return context_; }
  std::string remote() const override;
  bool quiet() override;

 protected:
  Socket socket_;

 private:
  boost::asio::io_context& context_;
};

std::unique_ptr<Stream> plain_stream(Socket socket, boost::asio::io_context& context);

}  // namespace shop::net

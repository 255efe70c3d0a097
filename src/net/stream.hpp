// A connection that carries bytes: TCP or a local (unix) socket, plain or TLS. Used on its I/O thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>

#include "base/http.hpp"
#include "base/task.hpp"

namespace shop::net {

using boost::system::error_code;
using Socket = boost::asio::generic::stream_protocol::socket;

class Stream {
 public:
  virtual ~Stream() = default;

  // 0 bytes with an error set: the other end is gone, or cancel() was called.
  virtual Task<std::size_t> read_some(boost::asio::mutable_buffer into, error_code& error) = 0;
  virtual Task<> write(boost::asio::const_buffer head, boost::asio::const_buffer body, error_code& error) = 0;
  virtual Task<> write_file(const FileRange& file, error_code& error) = 0;

  virtual void cancel() = 0;  // ends whatever waits, and every later operation
  virtual Task<> close() = 0;  // says goodbye, waits briefly for the other end so that the last answer arrives

  virtual boost::asio::io_context& context() = 0;
  virtual std::string remote() const = 0;   // address, without port; empty for a local socket
  virtual std::string peer_identity() const { return {}; }  // URI SAN of a verified client certificate
};

std::unique_ptr<Stream> plain_stream(Socket socket, boost::asio::io_context& context);

}  // namespace shop::net

// HTTP/1.1 server (RFC 9112): accepts, judges heads, reads bodies within limits, keeps connections, drains.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "net/exchange.hpp"
#include "net/io_threads.hpp"

namespace shop::net {

class Tls;

class Handler {
 public:
  virtual ~Handler() = default;
  virtual Task<> serve(Exchange& exchange) = 0;  // must send an answer
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;    // 0: any free one
  std::string unix_socket;   // instead of address and port; mode 0600

  std::string_view slashes_below;  // the head gate's; lives as long as the program

  const Tls* tls = nullptr;  // who calls must show a certificate

  std::size_t max_connections = 8192;  // one more is answered 503 and closed
  milliseconds handshake_timeout{5'000};  // of TLS
  milliseconds head_timeout{10'000};   // for a complete head: from its first byte, the connection's first from its begin
  milliseconds idle_timeout{60'000};   // between requests
  milliseconds body_timeout{10'000};   // without any progress
  milliseconds body_time_max{60'000};  // in all
  milliseconds write_timeout{30'000};  // for one piece of an answer

  // A head that the gate turned away, or a connection too many, has no handler to answer it: says what fields its answer carries. The
  // X-Request-Id among them stands in the body, too.
  std::function<Headers(std::string_view reason)> on_refused;
  std::function<void(std::string_view remote, std::string_view reason)> on_stranger;  // no TLS, or no certificate to believe
};

// A notice that is long enough for every gateway to hear from Consul that an instance leaves, and for whoever asks one request after the
// other to be told in an answer.
inline constexpr milliseconds farewell{300};

class Server {
 public:
  // Listens at once; throws std::runtime_error with a sentence when the address cannot be had.
  Server(IoThreads& threads, ServerOptions options, Handler& handler);
  ~Server();  // drains at once, if that is not done: `handler` serves no more

  std::uint16_t port() const;
  std::size_t connections() const;

  // Stops accepting, ends idle connections, lets running exchanges finish until `deadline`, then cuts them. For the time of
  // `notice` before that everything is still served, and each answer closes its connection: others hear that this one leaves. Without it
  // an idle connection is closed although its next request may be on the way.
  void drain(Monotonic deadline, milliseconds notice = milliseconds(0));

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace shop::net

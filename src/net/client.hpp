// HTTP/1.1 client connections, kept open and reused per I/O thread.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>

#include "base/context.hpp"
#include "base/http.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "base/time.hpp"

namespace shop::net {

class Tls;

struct Endpoint {
  std::string host;  // name or address
  std::uint16_t port = 0;
  std::string unix_socket;  // instead of host and port
  std::string service = {};  // who must answer there; known by its certificate when the pool has TLS

  std::string text() const;  // "127.0.0.1:3001"
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// One exchange at a time, on one I/O thread. Every wait ends at the deadline given last.
class ClientConnection {
 public:
  virtual ~ClientConnection() = default;

  virtual void until(Monotonic deadline) = 0;
  virtual Task<Result<void>> write(std::string_view head, std::string_view body) = 0;

  // The answer's head, without its body; interim answers (1xx) are skipped.
  virtual Task<Result<Response>> read_head(Method asked) = 0;
  virtual std::optional<std::uint64_t> content_length() const = 0;  // of the answer; nothing: until its end
  virtual Task<Result<std::size_t>> read_some(std::span<char> into) = 0;  // 0: the answer is complete

  virtual bool reused() const = 0;     // was open before this exchange
  virtual bool quiet() const = 0;      // nothing has come that was not read yet, and the other end has not hung up
  virtual bool reusable() const = 0;   // the answer is complete and the other end keeps the connection
};

class ClientPool {
 public:
  // Keeps at most `idle` open connections per endpoint and I/O thread. One that nobody has used for `lifetime` is not used any more,
  // and closed when next a connection of that thread is given back: also one to an instance that nobody asks again.
  // With `tls`, endpoints that name a service are spoken to with it; the others stay plain.
  explicit ClientPool(std::size_t idle = 32, const Tls* tls = nullptr, milliseconds lifetime = seconds(30));
  ~ClientPool();

  // Ends whatever waits on its connections and makes no more; from any thread. For questions that wait long, at a stop.
  void cut();

  // Idle or new. unavailable: refused, unreachable or too slow; nothing was sent.
  Task<Result<std::unique_ptr<ClientConnection>>> take(const Context& context, const Endpoint& endpoint);
  void give_back(const Endpoint& endpoint, std::unique_ptr<ClientConnection> connection);

  // A whole exchange. Errors: unavailable (nothing was sent), unknown_outcome (sent, no complete answer), timed_out (the same
  // after the deadline), bad_upstream (not HTTP, or larger than `limit`). GET, HEAD, PUT and DELETE are sent once more when
  // an idle connection turns out to be dead.
  Task<Result<Response>> send(const Context& context, const Endpoint& endpoint, const Request& request,
                              std::size_t limit = 16 * 1024 * 1024);

 private:
  struct Idle;
  const std::size_t idle_;
  const Tls* const tls_;
  const milliseconds lifetime_;
  std::atomic<bool> cut_{false};
  std::unique_ptr<Idle> rooms_;
};

std::string request_head(const Request& request, const Endpoint& endpoint, std::optional<std::uint64_t> length);

}  // namespace shop::net

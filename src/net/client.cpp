#include "net/client.hpp"

#include <sys/socket.h>

#include <map>
#include <mutex>
#include <set>

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <fmt/format.h>

#include "net/stream.hpp"
#include "net/timeouts.hpp"
#include "net/tls.hpp"

namespace shop::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr milliseconds connect_limit{2000};

bool repeatable(Method method) {
  return method == Method::get || method == Method::head || method == Method::put || method == Method::del;
}

class HttpConnection;
using Open = std::set<HttpConnection*>;  // the connections of one thread, idle or not; touched on it alone

class HttpConnection final : public ClientConnection {
 public:
  HttpConnection(std::unique_ptr<Stream> stream, std::shared_ptr<Open> open)
      : stream_(std::move(stream)), watch_(stream_->context(), [this] { stream_->cancel(); }), open_(std::move(open)) {
    open_->insert(this);
  }
  ~HttpConnection() override { open_->erase(this); }

  void cut() { stream_->cancel(); }
  Task<Result<void>> handshake() {
    auto shaken = co_await stream_->handshake();
    if (!shaken && watch_.expired()) co_return fail(Code::timed_out, "The handshake was not done in time.");
    co_return shaken;
  }

  void until(Monotonic deadline) override { watch_.until(deadline); }

  Task<Result<void>> write(std::string_view head, std::string_view body) override {
    error_code error;
    co_await stream_->write(asio::buffer(head), asio::buffer(body), error);
    if (error) co_return lost(error);
    co_return Result<void>();
  }

  Task<Result<Response>> read_head(Method asked) override {
    do {
      parser_.emplace();
      parser_->eager(false);
      parser_->header_limit(64 * 1024);
      parser_->body_limit(boost::none);
      if (asked == Method::head) parser_->skip(true);
      while (!parser_->is_header_done()) {
        error_code error;
        if (buffer_.size() > 0) {
          buffer_.consume(parser_->put(buffer_.data(), error));
          if (error && error != http::error::need_more) co_return nonsense(error);
          if (parser_->is_header_done()) break;
        }
        CO_CHECK(co_await fill());
      }
    } while (parser_->get().result_int() / 100 == 1);
    Response head;
    head.status = static_cast<int>(parser_->get().result_int());
    for (const auto& field : parser_->get()) {
      head.headers.add({field.name_string().data(), field.name_string().size()}, {field.value().data(), field.value().size()});
    }
    co_return head;
  }

  std::optional<std::uint64_t> content_length() const override {
    const auto length = parser_->content_length();
    return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
  }

  Task<Result<std::size_t>> read_some(std::span<char> into) override {
    auto& body = parser_->get().body();
    body.data = into.data();
    body.size = into.size();
    while (!parser_->is_done() && body.size == into.size()) {
      error_code error;
      const auto used = parser_->put(buffer_.data(), error);
      buffer_.consume(used);
      if (error == http::error::need_buffer) break;
      if (error && error != http::error::need_more) co_return nonsense(error);
      if (parser_->is_done() || body.size != into.size()) break;
      if (error != http::error::need_more && used > 0) continue;  // a chunk's head: its data may be here already
      auto filled = co_await fill();
      if (!filled && parser_->need_eof()) {
        parser_->put_eof(error);
        break;
      }
      if (!filled) co_return Failure(std::move(filled).error());
    }
    co_return into.size() - body.size;
  }

  bool reused() const override { return exchanges_ > 0; }
  bool quiet() const override { return buffer_.size() == 0 && stream_->quiet(); }
  bool reusable() const override { return parser_ && parser_->is_done() && parser_->get().keep_alive() && buffer_.size() == 0; }

  void begin() { ++exchanges_; }
  void rest() {
    parked_ = std::chrono::steady_clock::now();
    watch_.never();
  }
  asio::io_context& context() { return stream_->context(); }
  bool usable(milliseconds lifetime) const { return !watch_.expired() && std::chrono::steady_clock::now() - parked_ <= lifetime && quiet(); }

 private:
  Task<Result<void>> fill() {
    error_code error;
    const auto got = co_await stream_->read_some(buffer_.prepare(16 * 1024), error);
    buffer_.commit(got);
    if (error || got == 0) co_return lost(error);
    co_return Result<void>();
  }

  Failure lost(error_code error) const {
    if (watch_.expired()) return fail(Code::timed_out, "The answer did not come in time.");
    return fail(Code::unknown_outcome, "The connection broke before the answer was complete.", {}, error.message());
  }
  static Failure nonsense(error_code error) {
    return fail(Code::bad_upstream, "The answer is not valid HTTP.", {}, error.message());
  }

  std::unique_ptr<Stream> stream_;
  Watch watch_;
  const std::shared_ptr<Open> open_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::buffer_body>> parser_;
  Monotonic parked_;
  int exchanges_ = -1;
};

Task<Result<Socket>> dial(asio::io_context& context, const Endpoint& endpoint, Monotonic deadline) {
  const auto failed = [&](error_code error) {
    return fail(Code::unavailable, fmt::format("{} cannot be reached.", endpoint.text()), {}, error.message());
  };
  Socket socket(context);
  Watch watch(context, [&socket] {
    error_code ignored;
    socket.cancel(ignored);
  });
  watch.until(std::min(deadline, std::chrono::steady_clock::now() + connect_limit));
  error_code error;
  if (!endpoint.unix_socket.empty()) {
    co_await socket.async_connect(asio::local::stream_protocol::endpoint(endpoint.unix_socket),
                                  asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return failed(error);
    co_return socket;
  }
  const auto address = asio::ip::make_address(endpoint.host, error);
  std::vector<asio::ip::tcp::endpoint> candidates;
  if (!error) {
    candidates.emplace_back(address, endpoint.port);
  } else {
    asio::ip::tcp::resolver resolver(context);
    const auto found = co_await resolver.async_resolve(endpoint.host, std::to_string(endpoint.port),
                                                       asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return failed(error);
    for (const auto& entry : found) candidates.push_back(entry.endpoint());
  }
  for (const auto& candidate : candidates) {
    error_code ignored;
    socket.close(ignored);
    co_await socket.async_connect(candidate, asio::redirect_error(asio::use_awaitable, error));
    if (!error || watch.expired()) break;
  }
  if (error) co_return failed(error);
  const int on = 1;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
  co_return socket;
}

}  // namespace

std::string Endpoint::text() const { return unix_socket.empty() ? fmt::format("{}:{}", host, port) : unix_socket; }

struct ClientPool::Idle {
  struct Room {
    std::shared_ptr<Open> open = std::make_shared<Open>();  // a connection in use may outlive the pool
    std::map<Endpoint, std::vector<std::unique_ptr<HttpConnection>>> parked;
    Monotonic next_look{};

    void look_through(milliseconds lifetime) {
      const auto now = std::chrono::steady_clock::now();
      if (now < next_look) return;
      next_look = now + lifetime;
      for (auto of_endpoint = parked.begin(); of_endpoint != parked.end();) {
        auto& connections = of_endpoint->second;
        std::erase_if(connections, [&](const auto& connection) { return !connection->usable(lifetime); });
        of_endpoint = connections.empty() ? parked.erase(of_endpoint) : std::next(of_endpoint);
      }
    }
  };
  std::mutex mutex;  // of the outer map only: each room belongs to one thread
  std::map<asio::io_context*, Room> rooms;

  Room& room(asio::io_context& context) {
    const std::lock_guard lock(mutex);
    return rooms[&context];
  }
};

ClientPool::ClientPool(std::size_t idle, const Tls* tls, milliseconds lifetime)
    : idle_(idle), tls_(tls), lifetime_(lifetime), rooms_(std::make_unique<Idle>()) {}

ClientPool::~ClientPool() = default;

void ClientPool::cut() {
  cut_ = true;
  const std::lock_guard lock(rooms_->mutex);
  for (auto& [context, room] : rooms_->rooms) {
    asio::post(*context, [open = room.open] {
      for (auto* connection : *open) connection->cut();
    });
  }
}

Task<Result<std::unique_ptr<ClientConnection>>> ClientPool::take(const Context& context, const Endpoint& endpoint) {
  if (cut_) co_return fail(Code::unavailable, "The process is about to end.");
  auto& loop = static_cast<asio::io_context&>((co_await asio::this_coro::executor).context());
  auto& room = rooms_->room(loop);
  auto& parked = room.parked[endpoint];
  while (!parked.empty()) {
    auto connection = std::move(parked.back());
    parked.pop_back();
    if (!connection->usable(lifetime_)) continue;
    connection->begin();
    connection->until(context.deadline);
    co_return connection;
  }
  CO_TRY(auto socket, co_await dial(loop, endpoint, context.deadline));
  const bool secured = tls_ && !endpoint.service.empty();
  auto connection = std::make_unique<HttpConnection>(
      secured ? tls_->connect(std::move(socket), loop, endpoint.text(), endpoint.service) : plain_stream(std::move(socket), loop), room.open);
  connection->begin();
  if (secured) {
    connection->until(context.deadline);  // who is slow is busy, as with an answer; who cannot be reached is found out before
    if (auto shaken = co_await connection->handshake(); !shaken) co_return Failure(std::move(shaken).error());
  }
  connection->until(context.deadline);
  co_return connection;
}

void ClientPool::give_back(const Endpoint& endpoint, std::unique_ptr<ClientConnection> connection) {
  std::unique_ptr<HttpConnection> given(static_cast<HttpConnection*>(connection.release()));
  auto& room = rooms_->room(given->context());
  room.look_through(lifetime_);
  if (!given->reusable()) return;
  given->rest();
  auto& parked = room.parked[endpoint];
  if (parked.size() < idle_) parked.push_back(std::move(given));
}

std::string request_head(const Request& request, const Endpoint& endpoint, std::optional<std::uint64_t> length) {
  std::string head;
  head.reserve(512);
  ((head += name_of(request.method)) += ' ') += request.target;
  head += " HTTP/1.1\r\nHost: ";
  head += endpoint.unix_socket.empty() ? endpoint.text() : "localhost";
  head += "\r\n";
  request.headers.each([&](std::string_view name, std::string_view value) {
    ((head += name) += ": ") += value;
    head += "\r\n";
  });
  if (length) fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", *length);
  return head += "\r\n";
}

Task<Result<Response>> ClientPool::send(const Context& context, const Endpoint& endpoint, const Request& request, std::size_t limit) {
  const bool has_body = !request.body.empty() || request.method == Method::post || request.method == Method::put;
  const auto head = request_head(request, endpoint, has_body ? std::optional<std::uint64_t>(request.body.size()) : std::nullopt);
  for (int attempt = 0;; ++attempt) {
    CO_TRY(auto connection, co_await take(context, endpoint));
    const bool may_repeat = attempt == 0 && connection->reused() && repeatable(request.method);
    auto sent = co_await connection->write(head, request.body);
    if (!sent) {
      if (may_repeat && sent.error().code == Code::unknown_outcome) continue;
      co_return Failure(std::move(sent).error());
    }
    auto response = co_await connection->read_head(request.method);
    if (!response) {
      if (may_repeat && response.error().code == Code::unknown_outcome) continue;
      co_return response;
    }
    std::string body;
    for (;;) {
      const auto had = body.size();
      if (had > limit) co_return fail(Code::bad_upstream, fmt::format("The answer is larger than {} bytes.", limit));
      const auto left = connection->content_length() ? *connection->content_length() - had : 16 * 1024;
      body.resize(had + std::max<std::size_t>(std::min<std::size_t>(left, 1024 * 1024), 1));
      auto got = co_await connection->read_some(std::span(body).subspan(had));
      body.resize(had + got.value_or(0));
      if (!got) co_return Failure(std::move(got).error());
      if (*got == 0) break;
    }
    response->body = std::move(body);
    give_back(endpoint, std::move(connection));
    co_return response;
  }
}

}  // namespace shop::net

#include "net/server.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <list>
#include <mutex>
#include <set>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <fmt/format.h>

#include "net/body_reader.hpp"
#include "net/head_gate.hpp"
#include "net/problem.hpp"
#include "net/timeouts.hpp"
#include "net/tls.hpp"

namespace shop::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t body_step = 16 * 1024;     // of a body that is collected
constexpr std::size_t drain_bytes = 64 * 1024;  // of an unread body; more closes the connection

// What leaves a connection's coroutine is a bug of this file: the process ends with its message.
void rethrow(std::exception_ptr thrown) {
  if (thrown) std::rethrow_exception(thrown);
}

std::string_view reason_phrase(int status) {
  const auto text = http::obsolete_reason(static_cast<http::status>(status));
  return {text.data(), text.size()};
}

// The Date field changes once a second; every thread keeps its own text.
std::string_view date_now() {
  thread_local std::int64_t second = 0;
  thread_local std::string text;
  const auto now = std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  if (now / 1000 != second) {
    second = now / 1000;
    text = http_date(Instant{now});
  }
  return text;
}

bool bodiless(int status) { return status == 204 || status == 304 || status < 200; }

// As many connections as the process may have descriptors for; some are kept for stores and peers.
ServerOptions affordable(ServerOptions options) {
  constexpr rlim_t others = 512;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return options;
  const rlim_t wanted = options.max_connections + others;
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  const rlim_t room = limit.rlim_cur > 2 * others ? limit.rlim_cur - others : limit.rlim_cur / 2;
  options.max_connections = std::min<std::size_t>(options.max_connections, room);
  return options;
}

class Connection;

// The connections of one I/O thread; touched on that thread only.
struct Room {
  std::set<Connection*> connections;
};

// What all connections of a server share. They keep it: what they leave on the I/O threads may outlive the server.
struct Shared {
  Shared(ServerOptions given, Handler& serving, std::size_t threads) : options(std::move(given)), handler(serving), rooms(threads) {}

  const ServerOptions options;
  Handler& handler;
  std::vector<Room> rooms;
  std::atomic<bool> leaving{false};   // answers close their connections
  std::atomic<bool> draining{false};  // and no further request is taken
  std::atomic<std::size_t> connections{0};
};

// For the head alone: bodies are BodyReader's.
using HeadParser = http::request_parser<http::empty_body>;

class Connection final : public Exchange {
 public:
  Connection(Shared& shared, std::unique_ptr<Stream> stream, Room& room)
      : shared_(shared),
        stream_(std::move(stream)),
        room_(room),
        remote_(stream_->remote()),
        watch_(stream_->context(), [this] { stream_->cancel(); }) {
    room_.connections.insert(this);
    shared_.connections.fetch_add(1);
  }

  ~Connection() override {
    room_.connections.erase(this);
    shared_.connections.fetch_sub(1);
  }

  Task<> run() {
    if (shared_.options.tls && !(co_await known())) {
      watch_.never();
      co_return co_await stream_->close();
    }
    if (shared_.connections.load() > shared_.options.max_connections) {
      co_await refuse({Code::unavailable, "Too many connections.", {}, {}, {}, seconds(1)}, "too many connections");
    } else {
      while (co_await next_request()) {
        busy_ = true;
        co_await shared_.handler.serve(*this);
        busy_ = false;
        watch_.never();
        if (!started_ || !(co_await skip_rest_of_body())) break;
        if (!keep_alive_ || broken_) break;  // leaving is said in an answer before it is done
      }
    }
    watch_.never();
    co_await stream_->close();
  }

  void end_if_idle() {
    if (!busy_ && buffer_.size() == 0 && stream_->quiet()) stream_->cancel();  // what has come is answered
  }
  void cut() { stream_->cancel(); }

  // --- Exchange
  Request& request() override { return request_; }
  Stream& stream() override { return *stream_; }
  bool internal_socket() const override { return !shared_.options.unix_socket.empty(); }

  bool has_body() const override { return !body_.done(); }
  std::optional<std::uint64_t> content_length() const override { return body_.length(); }

  Task<Result<std::size_t>> read_some(std::span<char> into) override {
    if (expects_continue_) {
      expects_continue_ = false;
      error_code error;
      co_await stream_->write(asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), {}, error);
    }
    for (;;) {
      auto bytes = buffered();
      const auto got = body_.read(bytes, into);
      buffer_.consume(buffer_.size() - bytes.size());
      if (got > 0 || body_.done()) co_return got;
      if (body_.broken()) co_return broken_body("The body's framing is not valid.");
      watch_.until(std::min(body_deadline_, std::chrono::steady_clock::now() + shared_.options.body_timeout));
      if (!(co_await fill())) co_return broken_body("The body ended early.");
      watch_.never();  // what the handler does with it has limits of its own
    }
  }

  Task<Result<void>> read_all(Request& request, std::size_t limit) override {
    const auto too_large = [&] {
      return fail(Code::too_large, fmt::format("The body is larger than {} bytes.", limit));
    };
    if (content_length().value_or(0) > limit) co_return too_large();
    if (const auto length = content_length()) request.body.reserve(*length);  // an address range: memory comes with the bytes
    while (has_body()) {
      const std::size_t had = request.body.size();
      const auto left = content_length() ? *content_length() - had : limit - had + 1;
      request.body.resize(had + std::clamp<std::size_t>(left, 1, body_step));
      auto got = co_await read_some(std::span(request.body).subspan(had));
      request.body.resize(had + got.value_or(0));
      if (!got) co_return Failure(std::move(got).error());
      if (request.body.size() > limit) co_return too_large();
    }
    co_return Result<void>();
  }

  Task<> send(Response response) override {
    const bool with_body = request_.method != Method::head && !bodiless(response.status);
    std::string head = head_of(response);
    if (!bodiless(response.status)) fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", response.body_size());
    head += "\r\n";
    watch_.in(shared_.options.write_timeout);
    error_code error;
    const auto* file = std::get_if<FileRange>(&response.body);
    const auto text = response.text();
    co_await stream_->write(asio::buffer(head), with_body && !file ? asio::buffer(text.data(), text.size()) : asio::const_buffer(),
                            error);
    if (!error && file && with_body) co_await stream_->write_file(*file, error);
    broken_ = broken_ || error;
    bytes_sent_ = with_body ? response.body_size() : 0;
  }

  Task<Result<void>> start(Response head, std::optional<std::uint64_t> length) override {
    std::string text = head_of(head);
    chunked_out_ = !length && !bodiless(head.status);
    if (length && !bodiless(head.status)) fmt::format_to(std::back_inserter(text), "Content-Length: {}\r\n", *length);
    if (chunked_out_) text += "Transfer-Encoding: chunked\r\n";
    text += "\r\n";
    bodiless_out_ = bodiless(head.status) || request_.method == Method::head;
    co_return co_await push(text, {});
  }

  Task<Result<void>> write(std::span<const char> piece) override {
    if (piece.empty() || bodiless_out_) co_return Result<void>();
    bytes_sent_ += piece.size();
    if (!chunked_out_) co_return co_await push({piece.data(), piece.size()}, {});
    std::string chunk = fmt::format("{:x}\r\n", piece.size());
    chunk.append(piece.data(), piece.size()).append("\r\n");
    co_return co_await push(chunk, {});
  }

  Task<Result<void>> finish() override {
    if (chunked_out_ && !bodiless_out_) co_return co_await push("0\r\n\r\n", {});
    co_return Result<void>();
  }

  Headers& extra_headers() override { return extra_; }
  bool started() const override { return started_; }
  int status() const override { return status_; }
  std::uint64_t bytes_sent() const override { return bytes_sent_; }
  void abandon() override { broken_ = true; }

 private:
  Task<bool> known() {
    watch_.in(shared_.options.handshake_timeout);
    const auto shaken = co_await stream_->handshake();
    if (shaken) co_return true;
    if (shared_.options.on_stranger) shared_.options.on_stranger(remote_, watch_.expired() ? "its handshake was too slow" : shaken.error().detail);
    co_return false;
  }

  Failure broken_body(std::string message) {
    broken_ = true;
    if (watch_.expired()) return fail(Code::timed_out, "The body came too slowly.");
    return fail(Code::invalid, std::move(message), "MALFORMED_BODY");
  }

  Task<Result<void>> push(std::string_view first, std::string_view second) {
    watch_.in(shared_.options.write_timeout);
    error_code error;
    co_await stream_->write(asio::buffer(first), asio::buffer(second), error);
    if (!error) co_return Result<void>();
    broken_ = true;
    co_return fail(Code::unavailable, "The client went away.");
  }

  std::string head_of(const Response& response) {
    started_ = true;
    status_ = response.status;
    if (response.headers.get("Connection") == "close" || broken_ || leaves_body()) keep_alive_ = false;
    std::string head;
    head.reserve(512);
    fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                   reason_phrase(response.status), date_now());
    const auto append = [&](std::string_view name, std::string_view value) {
      ((head += name) += ": ") += value;
      head += "\r\n";
    };
    response.headers.each([&](std::string_view name, std::string_view value) {
      if (name != "Connection") append(name, value);
    });
    extra_.each([&](std::string_view name, std::string_view value) {
      if (!response.headers.has(name) || name == "Vary") append(name, value);
    });
    if (shared_.leaving.load(std::memory_order_relaxed)) keep_alive_ = false;
    if (!keep_alive_) head += "Connection: close\r\n";
    return head;
  }

  Task<bool> fill() {
    error_code error;
    const auto room = std::clamp<std::size_t>(buffer_.capacity() - buffer_.size(), 2048, 16384);
    const auto got = co_await stream_->read_some(buffer_.prepare(room), error);
    buffer_.commit(got);
    co_return !error && got > 0;
  }

  std::string_view buffered() const {
    return {static_cast<const char*>(buffer_.data().data()), buffer_.data().size()};
  }

  // A complete head that the gate lets pass, parsed into request_. False: the connection ends.
  Task<bool> next_request() {
    started_ = false;
    status_ = 0;
    bytes_sent_ = 0;
    chunked_out_ = bodiless_out_ = false;
    const bool fresh = std::exchange(fresh_, false);
    watch_.in(buffer_.size() == 0 && !fresh ? shared_.options.idle_timeout : shared_.options.head_timeout);
    std::size_t end = std::string_view::npos, searched = 0;
    while ((end = buffered().find("\r\n\r\n", searched)) == std::string_view::npos) {
      if (buffer_.size() > max_head_bytes) co_return co_await refuse(Code::head_too_large, "the head is larger than 16 KiB");
      searched = buffer_.size() < 3 ? 0 : buffer_.size() - 3;
      const bool first_bytes = buffer_.size() == 0;
      if (first_bytes && shared_.draining.load(std::memory_order_relaxed) && stream_->quiet()) co_return false;
      if (!(co_await fill())) co_return false;  // gone, or cut: a slow head deserves no answer
      if (first_bytes && !fresh) watch_.in(shared_.options.head_timeout);
    }
    const auto head = buffered().substr(0, end + 4);
    if (head.size() > max_head_bytes) co_return co_await refuse(Code::head_too_large, "the head is larger than 16 KiB");
    if (const auto reason = refuse_head(head, shared_.options.slashes_below)) co_return co_await refuse(Code::invalid, *reason);

    HeadParser parser;
    parser.header_limit(max_head_bytes);
    parser.body_limit(boost::none);
    error_code error;
    parser.put(asio::const_buffer(head.data(), head.size()), error);
    if (error || !parser.is_header_done()) co_return co_await refuse(Code::invalid, "the head is not valid");
    take_head(parser);
    buffer_.consume(end + 4);
    watch_.never();
    body_deadline_ = std::chrono::steady_clock::now() + shared_.options.body_time_max;
    co_return true;
  }

  void take_head(const HeadParser& parser) {
    const auto& message = parser.get();
    const auto method = message.method_string();
    const auto target = message.target();
    request_ = Request{};
    extra_ = Headers{};
    request_.method = method_named({method.data(), method.size()});
    request_.target.assign(target.data(), target.size());
    if (const auto scheme = request_.target.find("://"); !request_.target.starts_with('/') && scheme != std::string::npos) {
      const auto path = request_.target.find_first_of("/?", scheme + 3);  // absolute-form: the gate has compared the hosts
      request_.target = path == std::string::npos ? "/" : request_.target.substr(path);
      if (request_.target.front() == '?') request_.target.insert(0, "/");
    }
    for (const auto& field : message) {
      request_.headers.add({field.name_string().data(), field.name_string().size()},
                           {field.value().data(), field.value().size()});
    }
    request_.remote = remote_;
    const auto length = parser.content_length();
    body_ = parser.chunked() ? BodyReader::chunked() : length ? BodyReader::sized(*length) : BodyReader();
    keep_alive_ = message.keep_alive();
    expects_continue_ = message.version() == 11 && equal_ignoring_case(request_.headers.get("Expect"), "100-continue");
  }

  Task<bool> refuse(Code code, std::string_view reason) {
    return refuse({code, fmt::format("The request was refused: {}.", reason), "REFUSED_HEAD", {}, {}, {}}, reason);
  }

  // An answer to no request. False: the connection ends.
  Task<bool> refuse(Error error, std::string_view reason) {
    keep_alive_ = false;
    request_ = Request{};  // there may have been one before on this connection
    extra_ = shared_.options.on_refused ? shared_.options.on_refused(reason) : Headers{};
    co_await send(problem_response(error, extra_.get("X-Request-Id")));
    co_return false;
  }

  // The answer goes before the body was read, and the rest is more than is worth reading: the other end must be told, or it
  // sends its next request here.
  bool leaves_body() const {
    return body_.broken() || (has_body() && (expects_continue_ || content_length().value_or(drain_bytes + 1) > drain_bytes));
  }

  Task<bool> skip_rest_of_body() {
    if (broken_ || leaves_body()) co_return false;
    std::array<char, 4096> rest;
    for (std::size_t seen = 0; has_body();) {
      auto got = co_await read_some(rest);
      if (!got || (seen += *got) > drain_bytes) co_return false;
    }
    co_return true;
  }

  Shared& shared_;
  std::unique_ptr<Stream> stream_;
  Room& room_;
  const std::string remote_;
  Watch watch_;
  boost::beast::flat_buffer buffer_;
  BodyReader body_;
  Request request_;
  Headers extra_;
  Monotonic body_deadline_;
  bool fresh_ = true, busy_ = false, keep_alive_ = true, expects_continue_ = false, broken_ = false;
  bool started_ = false, chunked_out_ = false, bodiless_out_ = false;
  int status_ = 0;
  std::uint64_t bytes_sent_ = 0;
};

Task<> run_connection(std::shared_ptr<Shared> shared, Socket socket, asio::io_context& context, Room& room) {
  const auto* tls = shared->options.tls;
  Connection connection(*shared, tls ? tls->accept(std::move(socket), context) : plain_stream(std::move(socket), context), room);
  co_await connection.run();
}

using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

std::shared_ptr<Acceptor> listen(asio::io_context& context, const ServerOptions& options) {
  const bool unix_socket = !options.unix_socket.empty();
  auto acceptor = std::make_shared<Acceptor>(context);
  asio::generic::stream_protocol::endpoint endpoint;
  error_code error;
  if (unix_socket) {
    ::unlink(options.unix_socket.c_str());
    endpoint = asio::local::stream_protocol::endpoint(options.unix_socket);
  } else {
    const auto address = asio::ip::make_address(options.address, error);
    if (error) throw std::runtime_error(fmt::format("{} is not an IP address to listen on.", options.address));
    endpoint = asio::ip::tcp::endpoint(address, options.port);
  }
  acceptor->open(endpoint.protocol(), error);
  if (!unix_socket) acceptor->set_option(asio::socket_base::reuse_address(true), error);
  const auto old_mask = ::umask(unix_socket ? 0177 : 0022);
  acceptor->bind(endpoint, error);
  ::umask(old_mask);
  if (!error) acceptor->listen(1024, error);
  if (!error) return acceptor;
  throw std::runtime_error(unix_socket ? fmt::format("{} cannot be used: {}.", options.unix_socket, error.message())
                                       : fmt::format("Port {} on {} cannot be used: {}. Stop what uses it, or choose another with --port.",
                                                     options.port, options.address, error.message()));
}

std::uint16_t port_of(const Acceptor& acceptor) {
  const auto local = acceptor.local_endpoint();
  asio::ip::tcp::endpoint tcp;
  if (local.protocol().family() == AF_UNIX) return 0;
  std::memcpy(tcp.data(), local.data(), local.size());
  return tcp.port();
}

Task<> accept(std::shared_ptr<Shared> shared, std::shared_ptr<Acceptor> acceptor, IoThreads& threads) {
  for (std::size_t turn = 0;; ++turn) {
    const auto i = turn % threads.count();
    auto& context = threads.at(i);
    Socket socket(context);
    error_code error;
    co_await acceptor->async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) co_return;
    if (error) {  // out of descriptors, most likely: the listen queue keeps the others meanwhile
      asio::steady_timer pause(threads.first(), milliseconds(50));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    if (shared->options.unix_socket.empty()) {
      const int on = 1;
      ::setsockopt(socket.native_handle(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    }
    asio::co_spawn(context, run_connection(shared, std::move(socket), context, shared->rooms[i]), rethrow);
  }
}

}  // namespace

Task<Result<void>> WholeBody::read_all(Request& request, std::size_t limit) {
  if (request.body.size() > limit) {
    co_return fail(Code::too_large, fmt::format("The body is larger than {} bytes.", limit));
  }
  co_return Result<void>();
}

struct Server::Impl {
  Impl(IoThreads& io, ServerOptions options, Handler& handler)
      : threads(io),
        shared(std::make_shared<Shared>(affordable(std::move(options)), handler, io.count())),
        acceptor(listen(io.first(), shared->options)),
        port(port_of(*acceptor)) {
    asio::co_spawn(threads.first(), accept(shared, acceptor, threads), rethrow);
  }

  void stop_accepting() {
    asio::post(threads.first(), [acceptor = acceptor] {
      error_code ignored;
      acceptor->close(ignored);
    });
  }

  void in_every_room(void (Connection::*action)()) {
    for (std::size_t i = 0; i < threads.count(); ++i) {
      asio::post(threads.at(i), [shared = shared, i, action] {
        for (auto* connection : shared->rooms[i].connections) (connection->*action)();
      });
    }
  }

  IoThreads& threads;
  const std::shared_ptr<Shared> shared;
  const std::shared_ptr<Acceptor> acceptor;
  const std::uint16_t port;
  bool drained = false;
};

Server::Server(IoThreads& threads, ServerOptions options, Handler& handler)
    : impl_(std::make_unique<Impl>(threads, std::move(options), handler)) {}

Server::~Server() {
  if (!impl_->drained) drain(std::chrono::steady_clock::now());
}

std::uint16_t Server::port() const { return impl_->port; }

std::size_t Server::connections() const { return impl_->shared->connections.load(); }

void Server::drain(Monotonic deadline, milliseconds notice) {
  impl_->drained = true;
  impl_->shared->leaving = true;
  std::this_thread::sleep_until(std::min(deadline, std::chrono::steady_clock::now() + notice));
  impl_->shared->draining = true;
  impl_->stop_accepting();
  const auto pause = milliseconds(5);
  while (connections() > 0 && std::chrono::steady_clock::now() < deadline) {
    impl_->in_every_room(&Connection::end_if_idle);
    std::this_thread::sleep_for(pause);
  }
  const auto last = std::chrono::steady_clock::now() + seconds(1);
  while (connections() > 0 && std::chrono::steady_clock::now() < last) {
    impl_->in_every_room(&Connection::cut);
    std::this_thread::sleep_for(pause);
  }
  const auto& unix_socket = impl_->shared->options.unix_socket;
  if (!unix_socket.empty()) ::unlink(unix_socket.c_str());
}

}  // namespace shop::net

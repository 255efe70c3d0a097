#include "net/tls.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <fmt/format.h>

#include "net/openssl.hpp"

namespace shop::net {
namespace {

namespace asio = boost::asio;

constexpr std::string_view scheme = "spiffe://shop/";
constexpr std::size_t record = 16 * 1024;        // what TLS sends at once
constexpr std::size_t largest_file = 1024 * 1024;
constexpr long session_seconds = 300;            // how long a session may be taken up again
constexpr std::size_t sessions_kept = 1024;

Failure faulty(std::string message) {
  ERR_clear_error();
  return fail(Code::invalid, std::move(message));
}

Result<std::string> contents(std::string_view variable, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(largest_file + 1, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof()) return faulty(fmt::format("{} names {}, which cannot be read.", variable, path));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

// The one URI among the names of a certificate: with two nobody could say which counts.
std::string uri_of(X509* certificate) {
  using Names = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    if (!found.empty()) return {};
    const auto* uri = name->d.uniformResourceIdentifier;
    found.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)), static_cast<std::size_t>(ASN1_STRING_length(uri)));
  }
  return found;
}

// After OpenSSL has judged the chain: an end of it that names no service is refused in the handshake.
int judge(int well, X509_STORE_CTX* store) {
  if (well != 1 || X509_STORE_CTX_get_error_depth(store) > 0) return well;
  if (service_of_identity(uri_of(X509_STORE_CTX_get_current_cert(store)))) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

Result<void> check_own(X509* certificate, const STACK_OF(X509)* between, X509_STORE* authorities, const TlsFiles& files, std::string_view service) {
  const auto uri = uri_of(certificate);
  if (uri != identity_uri(service)) {
    return faulty(fmt::format("The certificate in {} is {}, not {}.", files.certificate, uri.empty() ? "of no service" : uri, identity_uri(service)));
  }
  const Handle<X509_STORE_CTX, X509_STORE_CTX_free> verifying(X509_STORE_CTX_new());
  X509_STORE_CTX_init(verifying.get(), authorities, certificate, const_cast<STACK_OF(X509)*>(between));
  if (X509_verify_cert(verifying.get()) == 1) return {};
  return faulty(fmt::format("The certificate in {} is not one that others take: {}.", files.certificate,
                            X509_verify_cert_error_string(X509_STORE_CTX_get_error(verifying.get()))));
}

std::string looks_of(const TlsFiles& files) {
  std::string looks;
  for (const auto* path : {&files.certificate, &files.key, &files.authority}) {
    struct stat found{};
    if (::stat(path->c_str(), &found) != 0) looks += "-;";
    else fmt::format_to(std::back_inserter(looks), "{}:{}:{}.{};", found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
  }
  return looks;
}

using SslHandle = Handle<SSL, SSL_free>;
using ContextHandle = Handle<SSL_CTX, SSL_CTX_free>;
using SessionHandle = Handle<SSL_SESSION, SSL_SESSION_free>;

}  // namespace

std::string identity_uri(std::string_view service) { return std::string(scheme).append(service); }

std::optional<std::string_view> service_of_identity(std::string_view uri) {
  if (!uri.starts_with(scheme)) return std::nullopt;
  uri.remove_prefix(scheme.size());
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (uri.empty() || uri.size() > 63 || !std::ranges::all_of(uri, fits)) return std::nullopt;
  return uri;
}

// What one state of the files is made into; connections keep theirs when the next comes.
struct Tls::Generation {
  ContextHandle accepting, connecting;

  SessionHandle session(const std::string& address) {
    const std::lock_guard lock(mutex);
    const auto it = sessions.find(address);
    if (it == sessions.end()) return {};
    SSL_SESSION_up_ref(it->second.get());
    return SessionHandle(it->second.get());
  }
  void keep(const std::string& address, SSL_SESSION* session) {
    const std::lock_guard lock(mutex);
    if (sessions.size() >= sessions_kept) sessions.clear();
    sessions[address].reset(session);
  }

  std::mutex mutex;
  std::map<std::string, SessionHandle> sessions;  // the last of each address
};

class Tls::TlsStream final : public SocketStream {
 public:
  // `expected`: who must be at the other end; empty: this end was called.
  TlsStream(Socket socket, asio::io_context& context, std::shared_ptr<Generation> generation, std::string address, std::string expected)
      : SocketStream(std::move(socket), context),
        generation_(std::move(generation)),
        address_(std::move(address)),
        expected_(std::move(expected)),
        ssl_(SSL_new(called() ? generation_->accepting.get() : generation_->connecting.get())) {
    if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1) throw std::bad_alloc();
    SSL_set_app_data(ssl_.get(), this);
    if (called()) {
      SSL_set_accept_state(ssl_.get());
    } else {
      SSL_set_connect_state(ssl_.get());
      if (const auto session = generation_->session(address_)) SSL_set_session(ssl_.get(), session.get());
    }
  }

  // OpenSSL takes a session whose connection ended without a farewell for spoilt; nothing is written here.
  ~TlsStream() override {
    if (!peer_.empty()) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }

  Task<Result<void>> handshake() override {
    for (error_code error;;) {
      ERR_clear_error();
      const int outcome = SSL_do_handshake(ssl_.get());
      if (outcome == 1) break;
      co_await wait_for(outcome, error);
      if (error) co_return refused(why(error));
    }
    auto* certificate = SSL_get0_peer_certificate(ssl_.get());
    const auto uri = certificate ? uri_of(certificate) : std::string();
    const auto service = service_of_identity(uri);
    if (!service) co_return refused("its certificate names no service");
    // A session taken up again brings the certificate of its first handshake along.
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0) co_return refused("its certificate has expired");
    if (!called() && *service != expected_) co_return refused(fmt::format("{} is there, not {}", *service, expected_));
    peer_ = *service;
    co_return Result<void>();
  }

  Task<std::size_t> read_some(asio::mutable_buffer into, error_code& error) override {
    // Who has just spoken has nothing to hear yet, nearly always: the kernel is asked once, when something has come.
    if (std::exchange(spoken_, false) && SSL_has_pending(ssl_.get()) == 0) {
      co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return 0;
    }
    for (;;) {
      ERR_clear_error();
      std::size_t got = 0;
      const int outcome = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
      if (outcome == 1) co_return got;
      co_await wait_for(outcome, error);
      if (error) co_return 0;
    }
  }

  Task<> write(asio::const_buffer head, asio::const_buffer body, error_code& error) override {
    if (body.size() == 0) co_return co_await put(head, error);
    if (head.size() + body.size() > record) {
      co_await put(head, error);
      if (!error) co_await put(body, error);
      co_return;
    }
    std::string both;  // one record, one packet
    both.reserve(head.size() + body.size());
    both.append(static_cast<const char*>(head.data()), head.size()).append(static_cast<const char*>(body.data()), body.size());
    co_await put(asio::buffer(both), error);
  }

  Task<> write_file(const FileRange& file, error_code& error) override {
    std::string piece(std::min<std::uint64_t>(record, file.size), '\0');
    auto offset = static_cast<off_t>(file.offset);
    for (std::uint64_t left = file.size; left > 0;) {
      const auto got = ::pread(*file.descriptor, piece.data(), std::min<std::uint64_t>(left, piece.size()), offset);
      if (got <= 0) error = got == 0 ? error_code(asio::error::eof) : error_code(errno, boost::system::system_category());
      else co_await put(asio::buffer(piece.data(), static_cast<std::size_t>(got)), error);
      if (error) co_return;
      offset += got;
      left -= static_cast<std::uint64_t>(got);
    }
  }

  Task<> close() override {
    ERR_clear_error();
    if (!peer_.empty()) SSL_shutdown(ssl_.get());
    ERR_clear_error();
    co_await SocketStream::close();
  }

  std::string_view peer() const override { return peer_; }

  // Tickets that come behind a handshake are nothing to read.
  bool quiet() override {
    ERR_clear_error();
    char byte;
    std::size_t got = 0;
    const int outcome = SSL_peek_ex(ssl_.get(), &byte, 1, &got);
    return outcome != 1 && SSL_get_error(ssl_.get(), outcome) == SSL_ERROR_WANT_READ;
  }

  int keep_session(SSL_SESSION* session) {
    generation_->keep(address_, session);
    return 1;  // it is ours now
  }

 private:
  bool called() const { return expected_.empty(); }

  Task<> put(asio::const_buffer piece, error_code& error) {
    spoken_ = true;
    while (piece.size() > 0) {
      ERR_clear_error();
      std::size_t sent = 0;
      const int outcome = SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &sent);
      if (outcome == 1) {
        piece += sent;
        continue;
      }
      co_await wait_for(outcome, error);
      if (error) co_return;
    }
  }

  // Until what could not be done may be tried again; what can never be done is an error.
  Task<> wait_for(int outcome, error_code& error) {
    switch (SSL_get_error(ssl_.get(), outcome)) {
      case SSL_ERROR_WANT_READ:
        co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
        break;
      case SSL_ERROR_WANT_WRITE:
        co_await socket_.async_wait(Socket::wait_write, asio::redirect_error(asio::use_awaitable, error));
        break;
      case SSL_ERROR_ZERO_RETURN: error = asio::error::eof; break;
      case SSL_ERROR_SYSCALL: error = errno == 0 ? error_code(asio::error::eof) : error_code(errno, boost::system::system_category()); break;
      default: {
        const auto code = static_cast<int>(ERR_get_error());
        ERR_clear_error();
        error = code == 0 ? error_code(asio::error::eof) : error_code(code, asio::error::get_ssl_category());
      }
    }
  }

  std::string why(error_code error) const {
    const auto judged = SSL_get_verify_result(ssl_.get());
    if (judged == X509_V_ERR_APPLICATION_VERIFICATION) return "its certificate names no service";
    return judged == X509_V_OK ? error.message() : X509_verify_cert_error_string(judged);
  }

  Failure refused(std::string reason) const {
    return fail(Code::unavailable, called() ? "The caller could not show who it is." : fmt::format("{} could not show who it is.", address_), {},
                std::move(reason));
  }

  const std::shared_ptr<Generation> generation_;
  const std::string address_, expected_;
  std::string peer_;
  bool spoken_ = false;
  const SslHandle ssl_;
};

Tls::Tls(TlsFiles files, std::string service) : files_(std::move(files)), service_(std::move(service)) {
  if (const auto loaded = reload(); !loaded) throw std::runtime_error(loaded.error().message);
}

Tls::~Tls() = default;

Result<bool> Tls::reload() {
  auto looks = looks_of(files_);
  if (looks == loaded_) return false;
  TRY(auto next, load());
  loaded_ = std::move(looks);
  const std::lock_guard lock(mutex_);
  current_ = std::move(next);
  return true;
}

std::shared_ptr<Tls::Generation> Tls::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

Result<std::shared_ptr<Tls::Generation>> Tls::load() const {
  TRY(const auto own_text, contents("TLS_CERT_FILE", files_.certificate));
  TRY(const auto key_text, contents("TLS_KEY_FILE", files_.key));
  TRY(const auto authority_text, contents("TLS_CA_FILE", files_.authority));

  const auto own_from = reader_of(own_text);
  const auto own = read_certificate(own_from.get());
  if (!own) return faulty(fmt::format("{} holds no certificate.", files_.certificate));
  const Handle<STACK_OF(X509), [](STACK_OF(X509)* chain) { sk_X509_pop_free(chain, X509_free); }> between(sk_X509_new_null());
  while (auto next = read_certificate(own_from.get())) sk_X509_push(between.get(), next.release());
  const auto key = read_key(reader_of(key_text).get());
  if (!key) return faulty(fmt::format("{} holds no private key, or one with a password.", files_.key));
  if (X509_check_private_key(own.get(), key.get()) != 1) {
    return faulty(fmt::format("The key in {} is not that of the certificate in {}.", files_.key, files_.certificate));
  }
  const Handle<X509_STORE, X509_STORE_free> authorities(X509_STORE_new());
  const auto authorities_from = reader_of(authority_text);
  int known = 0;
  while (const auto authority = read_certificate(authorities_from.get())) {
    if (X509_check_ca(authority.get()) > 0) known += X509_STORE_add_cert(authorities.get(), authority.get());
  }
  if (known == 0) return faulty(fmt::format("{} holds no certificate of a CA.", files_.authority));
  CHECK(check_own(own.get(), between.get(), authorities.get(), files_, service_));
  ERR_clear_error();  // the end of a file counts as a failure there

  auto made = std::make_shared<Generation>();
  for (auto* context : {&made->accepting, &made->connecting}) {
    context->reset(SSL_CTX_new(context == &made->accepting ? TLS_server_method() : TLS_client_method()));
    auto* ssl = context->get();
    if (!ssl || SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(ssl, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384") != 1 ||
        SSL_CTX_set1_groups_list(ssl, "X25519:P-256") != 1 || SSL_CTX_use_certificate(ssl, own.get()) != 1 || SSL_CTX_use_PrivateKey(ssl, key.get()) != 1 ||
        SSL_CTX_set1_chain(ssl, between.get()) != 1) {
      return fail(Code::internal, "TLS could not be set up.", {}, openssl_failure());
    }
    SSL_CTX_set1_cert_store(ssl, authorities.get());
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(ssl, 1);  // head and content of a record with one call
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, judge);
    SSL_CTX_set_timeout(ssl, session_seconds);
  }
  auto* accepting = made->accepting.get();
  constexpr std::string_view session_name = "shop";
  SSL_CTX_set_session_id_context(accepting, reinterpret_cast<const unsigned char*>(session_name.data()), session_name.size());
  SSL_CTX_set_session_cache_mode(accepting, SSL_SESS_CACHE_OFF);  // callers keep theirs, sealed
  SSL_CTX_set_num_tickets(accepting, 1);
  SSL_CTX_set_session_cache_mode(made->connecting.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(made->connecting.get(), [](SSL* connection, SSL_SESSION* session) {
    return static_cast<TlsStream*>(SSL_get_app_data(connection))->keep_session(session);
  });
  return made;
}

std::unique_ptr<Stream> Tls::accept(Socket socket, asio::io_context& context) const {
  return std::make_unique<TlsStream>(std::move(socket), context, current(), std::string(), std::string());
}

std::unique_ptr<Stream> Tls::connect(Socket socket, asio::io_context& context, std::string address, std::string service) const {
  return std::make_unique<TlsStream>(std::move(socket), context, current(), std::move(address), std::move(service));
}

}  // namespace shop::net

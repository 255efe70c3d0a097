// Mutual TLS between services: TLS 1.3 only, both ends show a certificate that one CA has signed. Who somebody is, its URI SAN
// says, "spiffe://shop/<service>"; host names mean nothing here.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "net/stream.hpp"

namespace shop::net {

std::string identity_uri(std::string_view service);                         // "spiffe://shop/<service>"
std::optional<std::string_view> service_of_identity(std::string_view uri);  // nothing: not such a one, to the letter

struct TlsFiles {
  std::string certificate, key, authority;  // PEM; a certificate may be followed by those between it and the CA
};

class Tls {
 public:
  // Throws std::runtime_error with a sentence when the files are not what `service` needs to be known by.
  Tls(TlsFiles files, std::string service);
  ~Tls();

  // Reads the files again when they have changed; true: new handshakes use the new ones. While they do not fit together
  // (half of a rotation, say), the old ones stay, and the failure says why.
  Result<bool> reload();

  // Both have to be shaken hands with before anything else.
  std::unique_ptr<Stream> accept(Socket socket, boost::asio::io_context& context) const;
  // `address` is where an earlier session may be taken up again; whoever answers there must be `service`.
  std::unique_ptr<Stream> connect(Socket socket, boost::asio::io_context& context, std::string address, std::string service) const;

 private:
  struct Generation;
  class TlsStream;
  Result<std::shared_ptr<Generation>> load() const;
  std::shared_ptr<Generation> current() const;

  const TlsFiles files_;
  const std::string service_;
  mutable std::mutex mutex_;
  std::shared_ptr<Generation> current_;
  std::string loaded_;  // what the files looked like then; touched by reload() only
};

}  // namespace shop::net

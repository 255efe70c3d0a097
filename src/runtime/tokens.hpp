// JSON Web Tokens as this platform makes them (RFC 7519, 8725): ES256 only, the algorithm fixed by the key and not by the
// header, the key found by its thumbprint (RFC 7638).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "codec/json_reader.hpp"

struct evp_pkey_st;

namespace shop {

struct Claims {
  UserId id;
  std::string email, name;
  std::optional<std::string> profileImage;
  std::string role;
  std::vector<std::string> permissions;
  std::int64_t iat = 0, exp = 0;  // seconds since 1970
  UserId sub, userId;             // both = id
  std::string jti, iss, aud;
  codec::LeftOut<std::int64_t> nbf;  // never ours; kept to when somebody signs with our key
};
BOOST_DESCRIBE_STRUCT(Claims, (), (id, email, name, profileImage, role, permissions, iat, exp, sub, userId, jti, iss, aud, nbf))

inline constexpr std::string_view token_issuer = "shop";
inline constexpr std::size_t max_token_bytes = 8192;

struct Jwk {
  std::string kty, crv, kid, use, alg, x, y;
};
BOOST_DESCRIBE_STRUCT(Jwk, (), (kty, crv, kid, use, alg, x, y))

struct Jwks {
  std::vector<Jwk> keys;
};
BOOST_DESCRIBE_STRUCT(Jwks, (), (keys))

class SigningKey {
 public:
  static SigningKey generate();
  static Result<SigningKey> from_pem(std::string_view pem);  // a P-256 private key, PKCS#8 or SEC 1

  std::string pem() const;
  const std::string& kid() const { return public_.kid; }
  const Jwk& public_jwk() const { return public_; }
  std::string sign(const Claims& claims) const;

 private:
  explicit SigningKey(std::shared_ptr<evp_pkey_st> key);
  std::shared_ptr<evp_pkey_st> key_;
  Jwk public_;
};

// Public keys by kid.
class KeySet {
 public:
  static Result<KeySet> from(const Jwks& jwks);

  bool knows(std::string_view kid) const;

  // unauthenticated for whatever is wrong; the message does not say what, the detail does.
  Result<Claims> verify(std::string_view token, Instant now) const;

 private:
  std::vector<std::pair<std::string, std::shared_ptr<evp_pkey_st>>> keys_;
};

// The kid a token names; empty when it has none. Says nothing about its validity.
std::string token_kid(std::string_view token);

std::string sha256(std::string_view bytes);  // 32 raw bytes
std::string fingerprint(std::string_view bytes);  // its first 132 bits as text: 22 characters, for a key that is not to show what it is of

}  // namespace shop

#include "runtime/tokens.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <stdexcept>

#include "codec/base64.hpp"

namespace shop {
namespace {

constexpr std::size_t coordinate = 32;  // bytes of a P-256 field element

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* p) const { Free(p); }
};
using Key = std::shared_ptr<EVP_PKEY>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG, ECDSA_SIG_free>>;

struct Header {
  std::string alg, typ, kid;
  std::optional<boost::json::value> crit;
};
BOOST_DESCRIBE_STRUCT(Header, (), (alg, typ, kid, crit))

struct Parts {
  std::string_view header, payload, signature, signed_text;
};

std::optional<Parts> split(std::string_view token) {
  const auto first = token.find('.');
  const auto second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos || token.size() > max_token_bytes) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
               token.substr(0, second)};
}

std::string_view bytes_of(const unsigned char* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }
const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Jwk jwk_of(EVP_PKEY* key) {
  unsigned char point[1 + 2 * coordinate];
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size) != 1 || size != sizeof point) {
    throw std::runtime_error("The signing key is not on the curve P-256.");
  }
  Jwk jwk{"EC", "P-256", {}, "sig", "ES256", codec::base64url(bytes_of(point + 1, coordinate)),
          codec::base64url(bytes_of(point + 1 + coordinate, coordinate))};
  jwk.kid = codec::base64url(sha256(R"({"crv":"P-256","kty":"EC","x":")" + jwk.x + R"(","y":")" + jwk.y + "\"}"));
  return jwk;
}

Result<Key> public_key(const Jwk& jwk) {
  const auto bad = fail(Code::bad_upstream, "A public key cannot be read.");
  const auto x = codec::from_base64url(jwk.x), y = codec::from_base64url(jwk.y);
  if (jwk.kty != "EC" || jwk.crv != "P-256" || !x || !y || x->size() != coordinate || y->size() != coordinate) return bad;
  const std::string point = '\4' + *x + *y;
  std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM, OSSL_PARAM_free>> params(OSSL_PARAM_BLD_to_param(builder.get()));
  std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX, EVP_PKEY_CTX_free>> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 || EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return bad;  // not a point of the curve
  }
  return Key(key, EVP_PKEY_free);
}

// JWS carries r and s side by side (RFC 7518 3.4), OpenSSL wants them in DER.
bool signature_matches(EVP_PKEY* key, std::string_view text, std::string_view signature) {
  if (signature.size() != 2 * coordinate) return false;
  const Signature parts(ECDSA_SIG_new());
  ECDSA_SIG_set0(parts.get(), BN_bin2bn(raw(signature), coordinate, nullptr),
                 BN_bin2bn(raw(signature) + coordinate, coordinate, nullptr));
  unsigned char der[80];
  unsigned char* end = der;
  const int size = i2d_ECDSA_SIG(parts.get(), &end);
  if (size <= 0) return false;
  const Digest digest(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(digest.get(), der, static_cast<std::size_t>(size), raw(text), text.size()) == 1;
}

// Colons outside of strings, one level deep.
std::size_t members_written(std::string_view object) {
  std::size_t count = 0;
  int depth = 0;
  bool text = false;
  for (std::size_t i = 0; i < object.size(); ++i) {
    const char c = object[i];
    if (c == '\\') ++i;
    else if (c == '"') text = !text;
    else if (text) continue;
    else if (c == '{' || c == '[') ++depth;
    else if (c == '}' || c == ']') --depth;
    else if (c == ':' && depth == 1) ++count;
  }
  return count;
}

// A member given twice is refused: which of the two counts, readers do not agree on.
template <class T>
std::optional<T> decoded(std::string_view part) {
  const auto text = codec::from_base64url(part);
  const auto json = text ? codec::parse_json(*text) : Result<boost::json::value>(boost::json::value());
  if (!json || !json->is_object() || json->get_object().size() != members_written(*text)) return std::nullopt;
  auto value = codec::from_value<T>(*json);
  return value ? std::optional<T>(std::move(*value)) : std::nullopt;
}

}  // namespace

SigningKey::SigningKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)), public_(jwk_of(key_.get())) {}

SigningKey SigningKey::generate() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  if (!key) throw std::runtime_error("No signing key could be made.");
  return SigningKey(Key(key, EVP_PKEY_free));
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
  std::unique_ptr<BIO, Freed<BIO, BIO_free_all>> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr);
  if (!key) return fail(Code::invalid, "The signing key is not a private key in PEM form.");
  Key owned(key, EVP_PKEY_free);
  char group[32] = {};
  EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, nullptr);
  if (std::string_view(group) != "prime256v1") return fail(Code::invalid, "The signing key is not an EC key on P-256.");
  return SigningKey(std::move(owned));
}

std::string SigningKey::pem() const {
  std::unique_ptr<BIO, Freed<BIO, BIO_free_all>> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string SigningKey::sign(const Claims& claims) const {
  const Header header{"ES256", "JWT", kid(), {}};
  std::string text = codec::base64url(R"({"alg":"ES256","typ":"JWT","kid":")" + header.kid + "\"}");
  text += '.';
  text += codec::base64url(codec::to_json(claims));

  unsigned char der[80];
  std::size_t size = sizeof der;
  const Digest digest(EVP_MD_CTX_new());
  if (EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(digest.get(), der, &size, raw(text), text.size()) != 1) {
    throw std::runtime_error("A token could not be signed.");
  }
  const unsigned char* from = der;
  const Signature parts(d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(size)));
  unsigned char both[2 * coordinate];
  BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), both, coordinate);
  BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), both + coordinate, coordinate);
  return text + '.' + codec::base64url(bytes_of(both, sizeof both));
}

Result<KeySet> KeySet::from(const Jwks& jwks) {
  KeySet set;
  for (const auto& jwk : jwks.keys) {
    TRY(auto key, public_key(jwk));
    set.keys_.emplace_back(jwk.kid, std::move(key));
  }
  return set;
}

bool KeySet::knows(std::string_view kid) const {
  return std::any_of(keys_.begin(), keys_.end(), [&](const auto& each) { return each.first == kid; });
}

std::string token_kid(std::string_view token) {
  const auto parts = split(token);
  const auto header = parts ? decoded<Header>(parts->header) : std::nullopt;
  return header ? header->kid : std::string();
}

Result<Claims> KeySet::verify(std::string_view token, Instant now) const {
  const auto refused = [](std::string why) {
    return fail(Code::unauthenticated, "The token is not valid.", "INVALID_TOKEN", std::move(why));
  };
  const auto parts = split(token);
  if (!parts) return refused("not three parts, or too long");
  const auto header = decoded<Header>(parts->header);
  if (!header || header->alg != "ES256" || header->typ != "JWT" || header->crit) return refused("header");
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const auto& each) { return each.first == header->kid; });
  if (key == keys_.end()) return refused("unknown key");
  const auto signature = codec::from_base64url(parts->signature);
  if (!signature || !signature_matches(key->second.get(), parts->signed_text, *signature)) return refused("signature");
  auto claims = decoded<Claims>(parts->payload);
  if (!claims || claims->iss != token_issuer || claims->aud != token_issuer || claims->sub != claims->id) return refused("claims");
  constexpr std::int64_t skew_s = 60, far_s = 100'000'000'000;
  if (std::max({claims->iat, claims->exp, claims->nbf.value.value_or(0)}) > far_s || claims->exp < 0) return refused("times");
  if (claims->exp * 1000 <= now.ms) return fail(Code::unauthenticated, "The token has expired.", "TOKEN_EXPIRED");
  if (std::max(claims->iat, claims->nbf.value.value_or(0)) > now.ms / 1000 + skew_s) return refused("not valid yet");
  return std::move(*claims);
}

std::string sha256(std::string_view bytes) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(raw(bytes), bytes.size(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string fingerprint(std::string_view bytes) { return codec::base64url(sha256(bytes)).substr(0, 22); }

}  // namespace shop

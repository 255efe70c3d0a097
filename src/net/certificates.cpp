#include "net/certificates.hpp"

#include <openssl/rand.h>

#include <fmt/format.h>

#include "net/openssl.hpp"
#include "net/tls.hpp"

namespace shop::net {
namespace {

Failure failed() { return fail(Code::internal, "A certificate could not be made.", {}, openssl_failure()); }

Result<std::string> pem(auto write) {
  const BioHandle out(BIO_new(BIO_s_mem()));
  if (!out || write(out.get()) != 1) return failed();
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

bool extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool name_and_number(X509* certificate, std::string_view common_name) {
  unsigned char number[16];
  if (RAND_bytes(number, sizeof number) != 1) return false;
  number[0] &= 0x7f;  // positive
  const Handle<BIGNUM, BN_free> big(BN_bin2bn(number, sizeof number, nullptr));
  auto* name = X509_get_subject_name(certificate);
  return X509_set_version(certificate, X509_VERSION_3) == 1 && BN_to_ASN1_INTEGER(big.get(), X509_get_serialNumber(certificate)) &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool lasts(X509* certificate, Validity validity) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), validity.from.ms / 1000) &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), validity.until.ms / 1000);
}

Result<Certified> signed_by(EVP_PKEY* signer, X509* certificate, EVP_PKEY* own) {
  if (X509_sign(certificate, signer, EVP_sha256()) == 0) return failed();
  TRY(auto text, pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate); }));
  TRY(auto key, pem([&](BIO* out) { return PEM_write_bio_PrivateKey(out, own, nullptr, nullptr, 0, nullptr, nullptr); }));
  return Certified{std::move(text), std::move(key)};
}

}  // namespace

Result<Certified> make_authority(Validity validity) {
  const KeyHandle key(EVP_EC_gen("P-256"));
  const CertificateHandle certificate(X509_new());
  if (!key || !certificate || !name_and_number(certificate.get(), "shop CA") || !lasts(certificate.get(), validity) ||
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())) != 1 || X509_set_pubkey(certificate.get(), key.get()) != 1 ||
      !extend(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !extend(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !extend(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash")) {
    return failed();
  }
  return signed_by(key.get(), certificate.get(), key.get());
}

Result<Certified> issue_certificate(const Certified& authority, std::string_view service, Validity validity) {
  if (!service_of_identity(identity_uri(service))) {
    return fail(Code::invalid, fmt::format("{} is no name of a service: small letters, digits and hyphens, 63 at most.", service));
  }
  const auto issuer = read_certificate(reader_of(authority.certificate).get());
  const auto signer = read_key(reader_of(authority.key).get());
  if (!issuer || !signer || X509_check_private_key(issuer.get(), signer.get()) != 1) {
    ERR_clear_error();
    return fail(Code::invalid, "The CA's certificate and key cannot be read, or do not belong together.");
  }
  const KeyHandle key(EVP_EC_gen("P-256"));
  const CertificateHandle certificate(X509_new());
  if (!key || !certificate || !name_and_number(certificate.get(), service) || !lasts(certificate.get(), validity)) return failed();
  if (ASN1_TIME_compare(X509_get0_notAfter(issuer.get()), X509_get0_notAfter(certificate.get())) < 0 &&
      X509_set1_notAfter(certificate.get(), X509_get0_notAfter(issuer.get())) != 1) {
    return failed();
  }
  if (X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get())) != 1 || X509_set_pubkey(certificate.get(), key.get()) != 1 ||
      !extend(certificate.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !extend(certificate.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") ||
      !extend(certificate.get(), issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth") ||
      !extend(certificate.get(), issuer.get(), NID_subject_alt_name, "URI:" + identity_uri(service)) ||
      !extend(certificate.get(), issuer.get(), NID_subject_key_identifier, "hash") ||
      !extend(certificate.get(), issuer.get(), NID_authority_key_identifier, "keyid:always")) {
    return failed();
  }
  return signed_by(signer.get(), certificate.get(), key.get());
}

}  // namespace shop::net

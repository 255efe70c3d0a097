// What net/ shares of OpenSSL: handles that free themselves, PEM texts, and what it says of its failures.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

namespace shop::net {

template <auto Free>
struct FreedBy {
  void operator()(auto* handle) const { Free(handle); }
};
template <class T, auto Free>
using Handle = std::unique_ptr<T, FreedBy<Free>>;

using BioHandle = Handle<BIO, BIO_free>;
using CertificateHandle = Handle<X509, X509_free>;
using KeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;

inline BioHandle reader_of(std::string_view text) { return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

inline CertificateHandle read_certificate(BIO* from) { return CertificateHandle(PEM_read_bio_X509(from, nullptr, nullptr, nullptr)); }

// A key with a password counts as none: nobody is there to be asked for it.
inline KeyHandle read_key(BIO* from) {
  return KeyHandle(PEM_read_bio_PrivateKey(from, nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
}

// What failed first; leaves the thread's queue of failures empty.
inline std::string openssl_failure() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason ? reason : "no reason given";
}

}  // namespace shop::net

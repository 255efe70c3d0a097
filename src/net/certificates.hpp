// A small CA for services that know each other by certificate (net/tls.hpp): ECDSA on P-256, PEM.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace shop::net {

struct Certified {
  std::string certificate, key;  // PEM
};

struct Validity {
  Instant from, until;
};

Result<Certified> make_authority(Validity validity);

// For a service, as client and as server. Ends with the CA's own validity at the latest.
Result<Certified> issue_certificate(const Certified& authority, std::string_view service, Validity validity);

}  // namespace shop::net

// Validates tokens as the seed's 5.2 says: the signature here, account and permissions by asking auth-service, with a bounded
// cache in between. A deactivation or a role change is seen after `max_age` at the latest.
#pragma once

#include <atomic>
#include <memory>

#include "base/generation_cache.hpp"
#include "net/router.hpp"
#include "observe/metrics.hpp"
#include "ports/clock.hpp"
#include "runtime/peer.hpp"
#include "runtime/tokens.hpp"

namespace shop {

// The account of a token, as POST /auth/validate answers.
struct ValidatedUser {
  UserId id;
  std::string name, email;
  std::optional<std::string> profileImage;
  std::string role;
  std::vector<std::string> permissions;
};
BOOST_DESCRIBE_STRUCT(ValidatedUser, (), (id, name, email, profileImage, role, permissions))

Principal principal_of(const ValidatedUser& user);

class TokenAuthenticator final : public net::Authenticator {
 public:
  TokenAuthenticator(ServiceCaller& caller, Clock& clock, milliseconds max_age = milliseconds(3000));

  Task<Result<Principal>> authenticate(const Context& context, std::string token) override;

  std::int64_t hits() const { return hits_; }
  std::int64_t misses() const { return misses_; }

 private:
  struct Known {
    Principal principal;
    Monotonic checked;
    Instant expires;
  };

  Task<Result<Claims>> verify(const Context& context, const std::string& token);
  Task<Result<void>> load_keys(const Context& context);  // or, when somebody just did, waits a little
  Monotonic::duration claim_load();                      // nothing to wait for: the caller loads

  const Peer auth_;
  Clock& clock_;
  const milliseconds max_age_;
  GenerationCache<std::string, std::shared_ptr<const Known>> cache_{20'000};  // by the token's hash, never the token
  std::mutex keys_mutex_;
  std::shared_ptr<const KeySet> keys_;
  Monotonic next_load_{};
  std::atomic<std::int64_t> hits_{0}, misses_{0};
};

void watch_tokens(Metrics& metrics, const TokenAuthenticator& authenticator);

}  // namespace shop

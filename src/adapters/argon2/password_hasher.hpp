// argon2id (RFC 9106) with 19 MiB, two passes, one lane, as the OWASP password storage cheat sheet advises. Older bcrypt
// hashes ($2a, $2b, $2y) are verified and reported as outdated.
#pragma once

#include "base/worker_pool.hpp"
#include "ports/password_hasher.hpp"
#include "ports/random.hpp"

namespace shop {

class Argon2Hasher final : public PasswordHasher {
 public:
  Argon2Hasher(WorkerPool& pool, Random& random) : pool_(pool), random_(random) {}

  Task<Result<std::string>> hash(const Context& context, std::string password) override;
  Task<Result<bool>> verify(const Context& context, std::string password, std::string hash) override;
  bool outdated(const std::string& hash) const override;

 private:
  WorkerPool& pool_;
  Random& random_;
};

}  // namespace shop

// Passwords that cost nothing: a simulation is about what happens to accounts, not about how hard they are to guess.
#pragma once

#include "ports/password_hasher.hpp"

namespace shop::simulated {

class PlainHasher final : public PasswordHasher {
 public:
  Task<Result<std::string>> hash(const Context&, std::string password) override { co_return "plain:" + password; }
  Task<Result<bool>> verify(const Context&, std::string password, std::string hash) override { co_return hash == "plain:" + password; }
  bool outdated(const std::string&) const override { return false; }
};

}  // namespace shop::simulated

#include "adapters/argon2/password_hasher.hpp"

#include <argon2.h>
#include <crypt.h>

namespace shop {
namespace {

constexpr std::uint32_t passes = 2, memory_kib = 19 * 1024, lanes = 1;
constexpr std::size_t salt_bytes = 16, hash_bytes = 32, text_bytes = 128;
constexpr std::string_view prefix = "$argon2id$v=19$m=19456,t=2,p=1$";

using Salt = std::array<std::uint8_t, salt_bytes>;

Result<std::string> argon2(const std::string& password, const Salt& salt) {
  char text[text_bytes];
  const int code = argon2id_hash_encoded(passes, memory_kib, lanes, password.data(), password.size(), salt.data(), salt.size(),
                                         hash_bytes, text, sizeof text);
  if (code != ARGON2_OK) return fail(Code::unavailable, "The password could not be hashed.", {}, argon2_error_message(code));
  return std::string(text);
}

// What a login with an unknown address is compared with, so that it takes as long as any other.
const std::string& nobodys_hash() {
  static const std::string text = argon2("nobody", Salt{}).value_or(std::string());
  return text;
}

bool matches(const std::string& password, const std::string& hash) {
  if (hash.empty()) {
    (void)argon2id_verify(nobodys_hash().c_str(), password.data(), password.size());
    return false;
  }
  if (hash.starts_with("$argon2id$")) return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
  if (!hash.starts_with("$2") || password.size() > 72 || password.find('\0') != password.npos) return false;
  crypt_data data{};
  const char* made = crypt_r(password.c_str(), hash.c_str(), &data);
  return made && hash == made;
}

}  // namespace

Task<Result<std::string>> Argon2Hasher::hash(const Context& context, std::string password) {
  Salt salt;
  random_.fill(salt);
  co_return co_await pool_.run(context, [password = std::move(password), salt] { return argon2(password, salt); });
}

Task<Result<bool>> Argon2Hasher::verify(const Context& context, std::string password, std::string hash) {
  co_return co_await pool_.run(context, [password = std::move(password), hash = std::move(hash)]() -> Result<bool> {
    return matches(password, hash);
  });
}

bool Argon2Hasher::outdated(const std::string& hash) const { return !hash.starts_with(prefix); }

}  // namespace shop

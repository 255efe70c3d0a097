// Use cases of identity: registration, login, tokens, users, roles (seed 4.2 and 5.2).
#pragma once

#include <mutex>

#include "net/router.hpp"
#include "ports/password_hasher.hpp"
#include "runtime/outbox.hpp"
#include "runtime/rate_limit.hpp"
#include "runtime/tokens.hpp"
#include "services/auth/store.hpp"

namespace shop::auth {

struct Settings {
  seconds token_lifetime{3600};            // JWT_EXPIRES_IN
  std::string private_key_pem;             // JWT_PRIVATE_KEY_FILE; empty: made at the first start, kept in the store
  hours invitation_lifetime{24};
  Limit registrations{"registrations", 120, seconds(60)};    // per address
  Limit logins{"logins", 1200, seconds(60)};                 // that succeed, per address
  Limit login_failures{"login-failures", 50, seconds(60)};   // per account and address
  Limit validations{"validations", 60'000, seconds(60)};     // per address
};

class AuthService final : public net::Authenticator {
 public:
  AuthService(Settings settings, Database& database, Outbox& outbox, PasswordHasher& hasher, RateLimiter& limiter, Clock& clock,
              Random& random);

  // Permissions, roles and the signing key exist afterwards.
  Task<Result<void>> prepare(const Context& context);

  Task<Result<TokenAnswer>> register_customer(const Context& context, const RegisterRequest& request, const std::string& client);
  Task<Result<TokenAnswer>> login(const Context& context, const LoginRequest& request, const std::string& client);
  Task<Result<TokenUser>> validate(const Context& context, const std::string& token, const std::string& client);
  Task<Result<TokenAnswer>> complete_invitation(const Context& context, const CompleteInvitation& request);
  Task<Result<Jwks>> jwks(const Context& context);
  Task<Result<void>> rotate_key(const Context& context);

  Task<Result<Me>> me(const Context& context, const UserId& id);
  Task<Result<User>> user(const Context& context, const UserId& id);
  Task<Result<UserPage>> users(const Context& context, const UserQuery& query);
  Task<Result<std::int64_t>> user_count(const Context& context);
  Task<Result<InviteAnswer>> invite(const Context& context, const InviteRequest& request);
  Task<Result<User>> update_user(const Context& context, const UserId& caller, const UserId& id, const UpdateUser& change);
  Task<Result<void>> delete_user(const Context& context, const UserId& caller, const UserId& id);
  Task<Result<User>> activate_user(const Context& context, const UserId& id);
  Task<Result<std::int64_t>> resync_users(const Context& context);
  Task<Result<CreatedAccounts>> create_accounts(const Context& context, const NewAccounts& request);

  Task<Result<std::vector<Role>>> roles(const Context& context);
  Task<Result<Role>> role(const Context& context, const RoleId& id);
  Task<Result<Role>> create_role(const Context& context, const NewRole& request);
  Task<Result<Role>> update_role(const Context& context, const RoleId& id, const UpdateRole& change);
  Task<Result<void>> delete_role(const Context& context, const RoleId& id);
  Task<Result<std::vector<PermissionInfo>>> permissions(const Context& context);

  // net::Authenticator, for this service's own routes: straight from the store.
  Task<Result<Principal>> authenticate(const Context& context, std::string token) override;

 private:
  Task<Result<void>> prepare_in(Transaction& tx);
  Task<Result<void>> load_keys(const Context& context);
  Task<Result<TokenUser>> account(const Context& context, const std::string& token);
  Task<Result<TokenUser>> register_in(Transaction& tx, const RegisterRequest& request,
                                      const std::string& hash);
  Task<Result<TokenUser>> complete_in(Transaction& tx, const std::string& invitation_hash,
                                      const std::string& hash);
  Task<Result<InviteAnswer>> invite_in(Transaction& tx, const InviteRequest& request);
  Task<Result<User>> update_in(Transaction& tx, const UserId& caller, const UserId& id,
                               const UpdateUser& change);
  Task<Result<void>> delete_in(Transaction& tx, const UserId& caller, const UserId& id);
  Task<Result<User>> activate_in(Transaction& tx, const UserId& id);
  struct Resynced {
    std::int64_t sent = 0;
    std::string last;  // empty: nobody comes after
  };
  Task<Result<Resynced>> resync_in(Transaction& tx, const std::string& after);
  Task<Result<CreatedAccounts>> create_accounts_in(Transaction& tx, const NewAccounts& request,
                                                   const std::map<std::string, std::string>& hashes);
  Task<Result<Role>> create_role_in(Transaction& tx, const NewRole& request);
  Task<Result<Role>> update_role_in(Transaction& tx, const RoleId& id, const UpdateRole& change);
  Task<Result<void>> publish(Transaction& tx, std::string type, const store::UserRow& row);
  TokenAnswer token_for(const TokenUser& user);

  const Settings settings_;
  Database& database_;
  Outbox& outbox_;
  PasswordHasher& hasher_;
  RateLimiter& limiter_;
  Clock& clock_;
  Random& random_;

  mutable std::mutex keys_mutex_;
  std::vector<SigningKey> keys_;  // newest first
  KeySet public_keys_;
  std::uint64_t readings_ = 0, shown_ = 0;  // of the keys: begun so far, and which of them is in use
};

}  // namespace shop::auth

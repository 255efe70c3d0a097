#include "services/auth/service.hpp"

#include "codec/base64.hpp"
#include "services/auth/domain.hpp"

namespace shop::auth {
namespace {

using store::RoleRow;
using store::UserRow;

std::string hash_of(std::string_view secret) { return codec::hex(sha256(secret)); }

Failure no_user() { return fail(Code::not_found, "User not found."); }
Failure no_role() { return fail(Code::not_found, "Role not found."); }
Failure wrong_credentials() { return fail(Code::unauthenticated, "Invalid credentials.", "INVALID_CREDENTIALS"); }
Failure email_taken() { return fail(Code::conflict, "A user with this e-mail already exists.", "EMAIL_TAKEN"); }
Failure role_taken() { return fail(Code::conflict, "A role with this name already exists.", "ROLE_TAKEN"); }
Failure last_administrator() {
  return fail(Code::forbidden, "This is the last active administrator.", "LAST_ADMINISTRATOR");
}

Failure unknown(std::string path) {
  return fail(codec::faulty({{std::move(path), "names nothing that exists"}}));
}

bool taken(const Error& error) { return error.code == Code::conflict && error.name == "UNIQUE"; }
// The role was deleted since it was looked at.
bool dangling(const Error& error) { return error.code == Code::conflict && error.name == "FOREIGN_KEY"; }

Task<Result<UserRole>> role_with_permissions(Transaction& tx, const RoleId& id) {
  CO_TRY(const auto row, co_await store::role(tx, id));
  if (!row) co_return no_role();
  CO_TRY(auto permissions, co_await store::permissions_of(tx, id));
  co_return UserRole{row->id, row->name, row->description, std::move(permissions)};
}

Task<Result<User>> with_role(Transaction& tx, const UserRow& row) {
  CO_TRY(auto role, co_await role_with_permissions(tx, row.role_id));
  co_return User{row.id, row.name, row.email, row.profile_image, row.is_active, row.created_at, row.updated_at, std::move(role)};
}

Task<Result<TokenUser>> token_user(Transaction& tx, const UserRow& row) {
  CO_TRY(const auto role, co_await role_with_permissions(tx, row.role_id));
  TokenUser user{row.id, row.name, row.email, row.profile_image, role.name, {}};
  for (const auto& permission : role.permissions) user.permissions.push_back(permission.name);
  co_return user;
}

Task<Result<User>> user_in(Transaction& tx, const UserId& id) {
  CO_TRY(const auto row, co_await store::user(tx, id));
  if (!row) co_return no_user();
  co_return co_await with_role(tx, *row);
}

Task<Result<UserPage>> users_in(Transaction& tx, const UserQuery& query) {
  CO_TRY(const auto list, co_await store::list_users(tx, query));
  UserPage page;
  page.pagination = codec::pagination(list.total, query.page, query.limit);
  std::map<RoleId, UserRole> roles;
  for (const auto& row : list.rows) {
    if (!roles.contains(row.role_id)) {
      CO_TRY(roles[row.role_id], co_await role_with_permissions(tx, row.role_id));
    }
    page.data.push_back({row.id, row.name, row.email, row.profile_image, row.is_active, row.created_at, row.updated_at,
                         roles[row.role_id]});
  }
  co_return page;
}

struct Credentials {
  std::optional<UserRow> row;
  std::optional<TokenUser> user;
};

Task<Result<Credentials>> credentials_in(Transaction& tx, const std::string& email_key) {
  Credentials found;
  CO_TRY(found.row, co_await store::user_by_email(tx, email_key));
  if (found.row) {
    CO_TRY(found.user, co_await token_user(tx, *found.row));
  }
  co_return found;
}

Task<Result<TokenUser>> active_account_in(Transaction& tx, const UserId& id) {
  CO_TRY(const auto row, co_await store::user(tx, id));
  if (!row || !row->is_active) co_return fail(Code::unauthenticated, "The account is not active.", "INACTIVE_ACCOUNT");
  co_return co_await token_user(tx, *row);
}

Task<Result<void>> rehash_in(Transaction& tx, const UserId& id, const std::string& old_hash, const std::string& new_hash) {
  CO_TRY(auto row, co_await store::user_for_change(tx, id));
  if (row && row->password_hash == old_hash) {
    row->password_hash = new_hash;
    CO_CHECK(co_await store::update_user(tx, *row));
  }
  co_return Result<void>();
}

Task<Result<Role>> role_in(Transaction& tx, const RoleId& id) {
  CO_TRY(auto role, co_await role_with_permissions(tx, id));
  Role full{role.id, role.name, role.description, std::move(role.permissions), {}, 0};
  CO_TRY(full.users, co_await store::oldest_members(tx, id));
  CO_TRY(full.userCount, co_await store::member_count(tx, id));
  co_return full;
}

Task<Result<std::vector<Role>>> roles_in(Transaction& tx) {
  CO_TRY(const auto rows, co_await store::roles(tx));
  std::vector<Role> all;
  for (const auto& row : rows) {
    CO_TRY(all.emplace_back(), co_await role_in(tx, row.id));
  }
  co_return all;
}

Task<Result<void>> check_permissions(Transaction& tx, const std::vector<PermissionId>& ids) {
  CO_TRY(const auto known, co_await store::permissions(tx));
  std::vector<Fault> faults;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool exists = std::any_of(known.begin(), known.end(), [&](const auto& p) { return p.id == ids[i]; });
    if (!exists) faults.push_back({fmt::format("permissionIds[{}]", i), "names no permission"});
  }
  if (!faults.empty()) co_return fail(codec::faulty(std::move(faults)));
  co_return Result<void>();
}

Task<Result<void>> delete_role_in(Transaction& tx, const RoleId& id) {
  CO_TRY(const auto row, co_await store::role_for_change(tx, id));
  if (!row) co_return no_role();
  if (built_in(row->name)) co_return fail(Code::forbidden, fmt::format("The role {} cannot be deleted.", row->name));
  auto deleted = co_await store::delete_role(tx, id);
  if (!deleted && deleted.error().name == "FOREIGN_KEY") {
    co_return fail(Code::conflict, "The role is still assigned to users.", "ROLE_IN_USE");
  }
  co_return deleted;
}

}  // namespace

AuthService::AuthService(Settings settings, Database& database, Outbox& outbox, PasswordHasher& hasher, RateLimiter& limiter,
                         Clock& clock, Random& random)
    : settings_(std::move(settings)),
      database_(database),
      outbox_(outbox),
      hasher_(hasher),
      limiter_(limiter),
      clock_(clock),
      random_(random) {}

// --- start-up and keys

Task<Result<void>> AuthService::prepare(const Context& context) {
  CO_CHECK(co_await migrate(database_, context, "auth", store::migrations));
  CO_CHECK(co_await write(database_, context, [this](Transaction& tx) { return prepare_in(tx); }));
  co_return co_await load_keys(context);
}

Task<Result<void>> AuthService::prepare_in(Transaction& tx) {
  const auto now = clock_.wall();
  for (std::size_t i = 0; i < permission_count; ++i) {
    const auto permission = static_cast<Permission>(i);
    CO_CHECK(co_await store::insert_permission(tx, {random_.id<PermissionId>(now), std::string(name_of(permission)),
                                                    std::string(description_of(permission)), now, now}));
  }
  CO_TRY(const auto known, co_await store::permissions(tx));
  for (const auto& wanted : default_roles()) {
    const bool all = wanted.permissions.empty();
    CO_TRY(auto row, co_await store::role_by_name(tx, std::string(wanted.name)));
    if (row && !all) continue;  // what an administrator made of it stays
    if (!row) {
      row = RoleRow{random_.id<RoleId>(now), std::string(wanted.name), std::string(wanted.description)};
      CO_CHECK(co_await store::insert_role(tx, *row, now));
    }
    std::vector<PermissionId> ids;
    for (const auto& permission : known) {
      const auto named = permission_named(permission.name);
      if (all || (named && std::ranges::count(wanted.permissions, *named) > 0)) ids.push_back(permission.id);
    }
    CO_CHECK(co_await store::replace_permissions(tx, row->id, ids));
  }
  CO_TRY(const auto keys, co_await store::keys(tx));
  if (keys.empty() && settings_.private_key_pem.empty()) {
    const auto key = SigningKey::generate();
    CO_CHECK(co_await store::insert_key(tx, key.kid(), key.pem(), now));
  }
  co_return Result<void>();
}

Task<Result<void>> AuthService::load_keys(const Context& context) {
  const auto turn = [this] {
    const std::lock_guard lock(keys_mutex_);
    return ++readings_;
  }();
  CO_TRY(const auto rows, co_await read(database_, context, store::keys));
  std::vector<SigningKey> keys;
  if (!settings_.private_key_pem.empty()) {
    CO_TRY(auto given, SigningKey::from_pem(settings_.private_key_pem));
    keys.push_back(std::move(given));
  }
  for (const auto& row : rows) {
    CO_TRY(auto key, SigningKey::from_pem(row.pem));
    keys.push_back(std::move(key));
  }
  Jwks jwks;
  for (const auto& key : keys) jwks.keys.push_back(key.public_jwk());
  CO_TRY(auto set, KeySet::from(jwks));
  const std::lock_guard lock(keys_mutex_);
  if (turn < shown_) co_return Result<void>();  // begun earlier and ended later than one that may have seen a new key
  shown_ = turn;
  keys_ = std::move(keys);
  public_keys_ = std::move(set);
  co_return Result<void>();
}

Task<Result<Jwks>> AuthService::jwks(const Context& context) {
  // Asked for rarely, and above all when somebody met a key that another replica has made. Without the store: those known here.
  (void)co_await load_keys(context);
  const std::lock_guard lock(keys_mutex_);
  Jwks jwks;
  for (const auto& key : keys_) jwks.keys.push_back(key.public_jwk());
  co_return jwks;
}

Task<Result<void>> AuthService::rotate_key(const Context& context) {
  const auto rotate = [](AuthService& self, Transaction& tx) -> Task<Result<void>> {
    const auto now = self.clock_.wall();
    const auto key = SigningKey::generate();
    CO_CHECK(co_await store::delete_keys(tx, now - self.settings_.token_lifetime - hours(1)));
    co_return co_await store::insert_key(tx, key.kid(), key.pem(), now);
  };
  CO_CHECK(co_await write(database_, context, [&](Transaction& tx) { return rotate(*this, tx); }));
  co_return co_await load_keys(context);
}

TokenAnswer AuthService::token_for(const TokenUser& user) {
  const auto now = clock_.wall();
  Claims claims;
  claims.id = claims.sub = claims.userId = user.id;
  claims.email = user.email;
  claims.name = user.name;
  claims.profileImage = user.profileImage;
  claims.role = user.role;
  claims.permissions = user.permissions;
  claims.iat = now.ms / 1000;
  claims.exp = claims.iat + settings_.token_lifetime.count();
  claims.jti = random_.uuid4().text();
  claims.iss = claims.aud = token_issuer;
  const std::lock_guard lock(keys_mutex_);
  return {keys_.front().sign(claims)};
}

// --- registration, login, tokens

Task<Result<void>> AuthService::publish(Transaction& tx, std::string type, const UserRow& row) {
  const UserEvent payload{row.id, row.name, row.email, row.profile_image, row.created_at, row.is_active};
  return outbox_.append(tx, {"auth_events", row.id.text(), std::move(type), row.version, codec::to_json(payload)});
}

Task<Result<TokenAnswer>> AuthService::register_customer(const Context& context, const RegisterRequest& request,
                                                         const std::string& client) {
  CO_CHECK(co_await limiter_.count(context, settings_.registrations, client));
  CO_TRY(const auto hash, co_await hasher_.hash(context, request.password.value));
  CO_TRY(const auto user, co_await write(database_, context, [&](Transaction& tx) { return register_in(tx, request, hash); }));
  co_return token_for(user);
}

Task<Result<TokenUser>> AuthService::register_in(Transaction& tx, const RegisterRequest& request,
                                                 const std::string& hash) {
  const auto now = clock_.wall();
  CO_TRY(const auto role, co_await store::role_by_name(tx, std::string(customer_role)));
  UserRow row;
  row.id = random_.id<UserId>(now);
  row.name = trimmed(request.name.value);
  row.email = request.email.value;
  row.password_hash = hash;
  if (const auto image = codec::given(request.profileImage)) row.profile_image = image->value;
  row.role_id = role->id;
  row.created_at = row.updated_at = now;
  if (auto inserted = co_await store::insert_user(tx, row); !inserted) {
    if (taken(inserted.error())) co_return email_taken();
    co_return Failure(inserted.error());
  }
  CO_CHECK(co_await publish(tx, "USER_CREATED", row));
  co_return co_await token_user(tx, row);
}

Task<Result<TokenAnswer>> AuthService::login(const Context& context, const LoginRequest& request, const std::string& client) {
  const std::string key = Email{request.email.value}.key();
  const std::string attempt = key + " " + client;
  CO_CHECK(co_await limiter_.check(context, settings_.login_failures, attempt));
  CO_TRY(const auto found, co_await read(database_, context, credentials_in, key));

  const bool known = found.row && found.row->password_hash;
  const std::string hash = known ? *found.row->password_hash : std::string();  // as slow as any other
  CO_TRY(const bool right, co_await hasher_.verify(context, request.password.value, hash));
  if (!known || !right) {
    CO_CHECK(co_await limiter_.count(context, settings_.login_failures, attempt));
    co_return wrong_credentials();
  }
  if (!found.row->is_active) co_return fail(Code::forbidden, "This account has been deactivated.", "INACTIVE_ACCOUNT");
  CO_CHECK(co_await limiter_.count(context, settings_.logins, client));
  if (hasher_.outdated(hash)) {
    CO_TRY(const auto better, co_await hasher_.hash(context, request.password.value));
    CO_CHECK(co_await write(database_, context, rehash_in, found.row->id, hash, better));
  }
  co_return token_for(*found.user);
}

Task<Result<TokenUser>> AuthService::account(const Context& context, const std::string& token) {
  const auto verified = [&] {
    const std::lock_guard lock(keys_mutex_);
    return public_keys_.verify(token, clock_.wall());
  };
  auto claims = verified();
  if (!claims && claims.error().detail == "unknown key") {  // another replica may have rotated the keys
    CO_CHECK(co_await load_keys(context));
    claims = verified();
  }
  if (!claims) co_return Failure(std::move(claims).error());
  co_return co_await read(database_, context, active_account_in, claims->id);
}

Task<Result<TokenUser>> AuthService::validate(const Context& context, const std::string& token, const std::string& client) {
  CO_CHECK(co_await limiter_.count(context, settings_.validations, client));
  co_return co_await account(context, token);
}

Task<Result<Principal>> AuthService::authenticate(const Context& context, std::string token) {
  CO_TRY(const auto user, co_await account(context, token));
  co_return principal_of(user);
}

// --- invitations

Task<Result<InviteAnswer>> AuthService::invite(const Context& context, const InviteRequest& request) {
  co_return co_await write(database_, context, [&](Transaction& tx) { return invite_in(tx, request); });
}

Task<Result<InviteAnswer>> AuthService::invite_in(Transaction& tx, const InviteRequest& request) {
  const auto now = clock_.wall();
  CO_TRY(const auto role, co_await store::role(tx, request.roleId));
  if (!role) co_return unknown("roleId");
  const std::string token = random_.token();
  UserRow row;
  row.id = random_.id<UserId>(now);
  row.name = trimmed(request.name.value);
  row.email = request.email.value;
  row.role_id = role->id;
  row.is_active = false;
  row.invitation_hash = hash_of(token);
  row.invitation_expires_at = now + settings_.invitation_lifetime;
  row.created_at = row.updated_at = now;
  if (auto inserted = co_await store::insert_user(tx, row); !inserted) {
    if (taken(inserted.error())) co_return email_taken();
    if (dangling(inserted.error())) co_return unknown("roleId");
    co_return Failure(inserted.error());
  }
  const InvitedEvent payload{row.id, row.name, row.email, token};
  CO_CHECK(co_await outbox_.append(tx, {"auth_events", row.id.text(), "USER_INVITED", row.version, codec::to_json(payload)}));
  co_return InviteAnswer{"Invitation sent.", row.id};
}

Task<Result<TokenAnswer>> AuthService::complete_invitation(const Context& context, const CompleteInvitation& request) {
  const std::string invitation = hash_of(request.token.value);
  CO_TRY(const auto hash, co_await hasher_.hash(context, request.password.value));
  CO_TRY(const auto user, co_await write(database_, context, [&](Transaction& tx) { return complete_in(tx, invitation, hash); }));
  co_return token_for(user);
}

Task<Result<TokenUser>> AuthService::complete_in(Transaction& tx, const std::string& invitation_hash,
                                                 const std::string& hash) {
  CO_TRY(auto row, co_await store::invited_for_change(tx, invitation_hash));
  if (!row) co_return fail(Code::not_found, "This invitation is not known or was used.");
  const auto now = clock_.wall();
  if (row->invitation_expires_at.value_or(Instant{}) < now) co_return fail(Code::gone, "This invitation has expired.");
  row->password_hash = hash;
  row->is_active = true;
  row->invitation_hash.reset();
  row->invitation_expires_at.reset();
  row->updated_at = now;
  CO_CHECK(co_await store::update_user(tx, *row));
  ++row->version;
  CO_CHECK(co_await publish(tx, "USER_CREATED", *row));
  co_return co_await token_user(tx, *row);
}

// --- users

Task<Result<Me>> AuthService::me(const Context& context, const UserId& id) {
  CO_TRY(const auto found, co_await user(context, id));
  co_return Me{found.id, found.name, found.email, found.profileImage, {found.role.name}};
}

Task<Result<User>> AuthService::user(const Context& context, const UserId& id) {
  co_return co_await read(database_, context, user_in, id);
}

Task<Result<UserPage>> AuthService::users(const Context& context, const UserQuery& query) {
  co_return co_await read(database_, context, users_in, query);
}

Task<Result<std::int64_t>> AuthService::user_count(const Context& context) {
  co_return co_await read(database_, context, store::user_count);
}

Task<Result<User>> AuthService::update_user(const Context& context, const UserId& caller, const UserId& id, const UpdateUser& change) {
  if (!codec::given(change.name) && !codec::given(change.roleId) && !codec::given(change.profileImage)) {
    co_return fail(Code::invalid, "Give at least one of name, roleId and profileImage.");
  }
  co_return co_await write(database_, context, [&](Transaction& tx) { return update_in(tx, caller, id, change); });
}

Task<Result<User>> AuthService::update_in(Transaction& tx, const UserId& caller, const UserId& id,
                                          const UpdateUser& change) {
  CO_TRY(auto row, co_await store::user_for_change(tx, id));
  if (!row) co_return no_user();
  if (const auto role = codec::given(change.roleId); role && *role != row->role_id) {
    if (id == caller) co_return fail(Code::forbidden, "You cannot change your own role.");
    CO_TRY(const auto wanted, co_await store::role(tx, *role));
    if (!wanted) co_return unknown("roleId");
    CO_TRY(const auto present, co_await store::role(tx, row->role_id));
    if (present && present->name == administrator_role && row->is_active) {
      CO_TRY(const auto administrators, co_await store::lock_and_count_active(tx, row->role_id));
      if (administrators <= 1) co_return last_administrator();
    }
    row->role_id = *role;
  }
  if (const auto name = codec::given(change.name)) row->name = trimmed(name->value);
  if (const auto image = codec::given(change.profileImage)) row->profile_image = image->value;
  row->updated_at = clock_.wall();
  if (auto updated = co_await store::update_user(tx, *row); !updated) {
    if (dangling(updated.error())) co_return unknown("roleId");
    co_return Failure(updated.error());
  }
  ++row->version;
  CO_CHECK(co_await publish(tx, "USER_UPDATED", *row));
  co_return co_await with_role(tx, *row);
}

Task<Result<void>> AuthService::delete_user(const Context& context, const UserId& caller, const UserId& id) {
  co_return co_await write(database_, context, [&](Transaction& tx) { return delete_in(tx, caller, id); });
}

Task<Result<void>> AuthService::delete_in(Transaction& tx, const UserId& caller, const UserId& id) {
  CO_TRY(auto row, co_await store::user_for_change(tx, id));
  if (!row) co_return no_user();
  if (id == caller) co_return fail(Code::forbidden, "You cannot delete your own account.");
  if (!row->password_hash) co_return co_await store::delete_user(tx, id);  // an invitation nobody has accepted
  if (!row->is_active) co_return Result<void>();
  CO_TRY(const auto role, co_await store::role(tx, row->role_id));
  if (role && role->name == administrator_role) {
    CO_TRY(const auto administrators, co_await store::lock_and_count_active(tx, row->role_id));
    if (administrators <= 1) co_return last_administrator();
  }
  row->is_active = false;
  row->updated_at = clock_.wall();
  CO_CHECK(co_await store::update_user(tx, *row));
  ++row->version;
  co_return co_await outbox_.append(tx, {"auth_events", id.text(), "USER_DELETED", row->version, codec::to_json(DeletedEvent{id})});
}

Task<Result<User>> AuthService::activate_user(const Context& context, const UserId& id) {
  co_return co_await write(database_, context, [&](Transaction& tx) { return activate_in(tx, id); });
}

Task<Result<User>> AuthService::activate_in(Transaction& tx, const UserId& id) {
  CO_TRY(auto row, co_await store::user_for_change(tx, id));
  if (!row) co_return no_user();
  if (!row->password_hash) co_return fail(Code::conflict, "The invitation has not been accepted yet.", "INVITATION_PENDING");
  if (!row->is_active) {
    row->is_active = true;
    row->updated_at = clock_.wall();
    CO_CHECK(co_await store::update_user(tx, *row));
    ++row->version;
    CO_CHECK(co_await publish(tx, "USER_UPDATED", *row));
  }
  co_return co_await with_role(tx, *row);
}

Task<Result<std::int64_t>> AuthService::resync_users(const Context& context) {
  std::int64_t sent = 0;
  for (std::string after; ;) {
    CO_TRY(auto chunk, co_await write(database_, context, [&](Transaction& tx) { return resync_in(tx, after); }));
    sent += chunk.sent;
    after = std::move(chunk.last);
    if (after.empty()) co_return sent;
  }
}

Task<Result<AuthService::Resynced>> AuthService::resync_in(Transaction& tx, const std::string& after) {
  constexpr std::int64_t chunk = 500;
  CO_TRY(const auto rows, co_await store::users_after(tx, after, chunk));
  for (const auto& row : rows) CO_CHECK(co_await publish(tx, "USER_UPDATED", row));
  const auto sent = static_cast<std::int64_t>(rows.size());
  co_return Resynced{sent, sent < chunk ? std::string() : rows.back().id.text()};
}

Task<Result<CreatedAccounts>> AuthService::create_accounts(const Context& context, const NewAccounts& request) {
  std::map<std::string, std::string> hashes;  // one for each different password
  for (const auto& account : request.accounts) {
    auto& hash = hashes[account.password.value];
    if (!hash.empty()) continue;
    CO_TRY(hash, co_await hasher_.hash(context, account.password.value));
  }
  co_return co_await write(database_, context, [&](Transaction& tx) { return create_accounts_in(tx, request, hashes); });
}

Task<Result<CreatedAccounts>> AuthService::create_accounts_in(Transaction& tx, const NewAccounts& request,
                                                              const std::map<std::string, std::string>& hashes) {
  CreatedAccounts outcome;
  const auto now = clock_.wall();
  for (std::size_t i = 0; i < request.accounts.size(); ++i) {
    const auto& account = request.accounts[i];
    CO_TRY(const auto role, co_await store::role_by_name(tx, account.role));
    if (!role) co_return unknown(fmt::format("accounts[{}].role", i));
    CO_TRY(const auto present, co_await store::user_by_email(tx, account.email.key()));
    if (present) {
      outcome.existing.push_back(account.email.value);
      continue;
    }
    UserRow row;
    row.id = random_.id<UserId>(now);
    row.name = account.name.value;
    row.email = account.email.value;
    row.password_hash = hashes.at(account.password.value);
    row.role_id = role->id;
    row.created_at = row.updated_at = now;
    CO_CHECK(co_await store::insert_user(tx, row));
    CO_CHECK(co_await publish(tx, "USER_CREATED", row));
    outcome.created.push_back(row.id);
  }
  co_return outcome;
}

// --- roles

Task<Result<std::vector<Role>>> AuthService::roles(const Context& context) { co_return co_await read(database_, context, roles_in); }

Task<Result<Role>> AuthService::role(const Context& context, const RoleId& id) {
  co_return co_await read(database_, context, role_in, id);
}

Task<Result<Role>> AuthService::create_role(const Context& context, const NewRole& request) {
  co_return co_await write(database_, context, [&](Transaction& tx) { return create_role_in(tx, request); });
}

Task<Result<Role>> AuthService::create_role_in(Transaction& tx, const NewRole& request) {
  const auto now = clock_.wall();
  const auto ids = request.permissionIds.value_or(std::vector<PermissionId>());
  CO_CHECK(co_await check_permissions(tx, ids));
  const RoleRow row{random_.id<RoleId>(now), std::string(trimmed(request.name.value)),
                    request.description ? std::optional(request.description->value) : std::nullopt};
  if (auto inserted = co_await store::insert_role(tx, row, now); !inserted) {
    if (taken(inserted.error())) co_return role_taken();
    co_return Failure(inserted.error());
  }
  CO_CHECK(co_await store::replace_permissions(tx, row.id, ids));
  co_return co_await role_in(tx, row.id);
}

Task<Result<Role>> AuthService::update_role(const Context& context, const RoleId& id, const UpdateRole& change) {
  co_return co_await write(database_, context, [&](Transaction& tx) { return update_role_in(tx, id, change); });
}

Task<Result<Role>> AuthService::update_role_in(Transaction& tx, const RoleId& id, const UpdateRole& change) {
  CO_TRY(auto row, co_await store::role_for_change(tx, id));
  if (!row) co_return no_role();
  if (change.name && trimmed(change.name->value) != row->name && built_in(row->name)) {
    co_return fail(Code::forbidden, fmt::format("The role {} cannot be renamed.", row->name));
  }
  if (change.permissionIds) {
    CO_CHECK(co_await check_permissions(tx, *change.permissionIds));
    if (row->name == administrator_role) {
      const std::set<PermissionId> wanted(change.permissionIds->begin(), change.permissionIds->end());
      CO_TRY(const auto present, co_await store::permissions_of(tx, id));
      for (const auto& permission : present) {
        if (!wanted.contains(permission.id)) co_return fail(Code::forbidden, "The role ADMIN keeps all its permissions.");
      }
    }
    CO_CHECK(co_await store::replace_permissions(tx, id, *change.permissionIds));
  }
  if (change.name) row->name = trimmed(change.name->value);
  if (change.description.present) {
    row->description = change.description.value ? std::optional(change.description.value->value) : std::nullopt;
  }
  if (auto updated = co_await store::update_role(tx, *row, clock_.wall()); !updated) {
    if (taken(updated.error())) co_return role_taken();
    co_return Failure(updated.error());
  }
  co_return co_await role_in(tx, id);
}

Task<Result<void>> AuthService::delete_role(const Context& context, const RoleId& id) {
  co_return co_await write(database_, context, delete_role_in, id);
}

Task<Result<std::vector<PermissionInfo>>> AuthService::permissions(const Context& context) {
  co_return co_await read(database_, context, store::permissions);
}

}  // namespace shop::auth

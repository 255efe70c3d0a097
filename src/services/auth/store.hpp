// The only SQL of auth-service.
//
// Rows are taken for change (ports/database.hpp) in this order: a user, then a role.
#pragma once

#include "ports/database.hpp"
#include "runtime/migrations.hpp"
#include "services/auth/api.hpp"

namespace shop::auth::store {

extern const std::span<const Migration> migrations;

struct UserRow {
  UserId id;
  std::string name, email;
  std::optional<std::string> password_hash, profile_image;
  RoleId role_id;
  bool is_active = true;
  std::optional<std::string> invitation_hash;
  std::optional<Instant> invitation_expires_at;
  std::int64_t version = 1;
  Instant created_at, updated_at;
};
BOOST_DESCRIBE_STRUCT(UserRow, (), (id, name, email, password_hash, profile_image, role_id, is_active, invitation_hash,
                                    invitation_expires_at, version, created_at, updated_at))

struct RoleRow {
  RoleId id;
  std::string name;
  std::optional<std::string> description;
};
BOOST_DESCRIBE_STRUCT(RoleRow, (), (id, name, description))

struct KeyRow {
  std::string pem;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(KeyRow, (), (pem, created_at))

// --- users
Task<Result<void>> insert_user(Transaction& tx, const UserRow& user);  // conflict UNIQUE: the e-mail is taken
Task<Result<std::optional<UserRow>>> user(Transaction& tx, const UserId& id);
Task<Result<std::optional<UserRow>>> user_by_email(Transaction& tx, const std::string& email_key);
Task<Result<std::optional<UserRow>>> user_for_change(Transaction& tx, const UserId& id);
Task<Result<std::optional<UserRow>>> invited_for_change(Transaction& tx, const std::string& invitation_hash);
// All but e-mail, of a row that was read for change; counts the version up. conflict FOREIGN_KEY: the role is gone.
Task<Result<void>> update_user(Transaction& tx, const UserRow& user);
Task<Result<void>> delete_user(Transaction& tx, const UserId& id);
Task<Result<std::vector<UserRow>>> users_after(Transaction& tx, const std::string& after_id, std::int64_t limit);
Task<Result<std::int64_t>> user_count(Transaction& tx);

struct UserList {
  std::int64_t total = 0;
  std::vector<UserRow> rows;
};
Task<Result<UserList>> list_users(Transaction& tx, const UserQuery& query);

// How many accounts hold the role and are active. The role is taken for change: nobody else decides by this number meanwhile.
Task<Result<std::int64_t>> lock_and_count_active(Transaction& tx, const RoleId& role);

// --- roles
Task<Result<void>> insert_role(Transaction& tx, const RoleRow& role, Instant now);  // conflict UNIQUE: the name is taken
Task<Result<void>> update_role(Transaction& tx, const RoleRow& role, Instant now);  // read for change
Task<Result<void>> delete_role(Transaction& tx, const RoleId& id);  // conflict FOREIGN_KEY: still assigned
Task<Result<std::optional<RoleRow>>> role(Transaction& tx, const RoleId& id);
Task<Result<std::optional<RoleRow>>> role_for_change(Transaction& tx, const RoleId& id);  // and of its permissions
Task<Result<std::optional<RoleRow>>> role_by_name(Transaction& tx, const std::string& name);
Task<Result<std::vector<RoleRow>>> roles(Transaction& tx);
Task<Result<std::vector<PermissionSummary>>> permissions_of(Transaction& tx, const RoleId& role);
Task<Result<void>> replace_permissions(Transaction& tx, const RoleId& role, const std::vector<PermissionId>& permissions);
Task<Result<std::vector<RoleMember>>> oldest_members(Transaction& tx, const RoleId& role);
Task<Result<std::int64_t>> member_count(Transaction& tx, const RoleId& role);

// --- permissions
Task<Result<void>> insert_permission(Transaction& tx, const PermissionInfo& permission);  // no effect when it exists
Task<Result<std::vector<PermissionInfo>>> permissions(Transaction& tx);

// --- keys
Task<Result<std::vector<KeyRow>>> keys(Transaction& tx);  // newest first
Task<Result<void>> insert_key(Transaction& tx, const std::string& kid, const std::string& pem, Instant now);
Task<Result<void>> delete_keys(Transaction& tx, Instant before);

}  // namespace shop::auth::store

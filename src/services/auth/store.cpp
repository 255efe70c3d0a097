#include "services/auth/store.hpp"

#include "runtime/outbox.hpp"

namespace shop::auth::store {
namespace {

constexpr char initial[] = {
#embed "schema/0001_initial.sql"
    , 0};

constexpr Migration all_migrations[] = {
    {1, "0001_initial", initial},
    {2, "outbox", Outbox::schema},
};

#define USER_COLUMNS                                                                                               \
  "id, name, email, password_hash, profile_image, role_id, is_active, invitation_hash, invitation_expires_at, version," \
  " created_at, updated_at"

constexpr Query user_insert{"user_insert",
                            "INSERT INTO users (" USER_COLUMNS ", email_key)"
                            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};
constexpr Query user_find{"user_find", "SELECT " USER_COLUMNS " FROM users WHERE id = $1"};
constexpr Query user_find_email{"user_find_email", "SELECT " USER_COLUMNS " FROM users WHERE email_key = $1"};
constexpr Query user_hold = FOR_CHANGE("user_hold", "SELECT " USER_COLUMNS " FROM users WHERE id = $1");
constexpr Query invited_hold = FOR_CHANGE("invited_hold", "SELECT " USER_COLUMNS " FROM users WHERE invitation_hash = $1");
constexpr Query user_update{"user_update",
                            "UPDATE users SET name = $2, password_hash = $3, profile_image = $4, role_id = $5, is_active = $6,"
                            " invitation_hash = $7, invitation_expires_at = $8, updated_at = $9, version = version + 1 WHERE id = $1"};
constexpr Query user_delete{"user_delete", "DELETE FROM users WHERE id = $1"};
constexpr Query user_after{"user_after", "SELECT " USER_COLUMNS " FROM users WHERE id > $1 ORDER BY id LIMIT $2"};
constexpr Query user_count_all{"user_count", "SELECT count(*) FROM users"};

constexpr Query role_insert{"role_insert",
                            "INSERT INTO roles (id, name, description, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)"};
constexpr Query role_update{"role_update", "UPDATE roles SET name = $2, description = $3, updated_at = $4 WHERE id = $1"};
constexpr Query role_delete{"role_delete", "DELETE FROM roles WHERE id = $1"};
constexpr Query role_find{"role_find", "SELECT id, name, description FROM roles WHERE id = $1"};
constexpr Query role_hold = FOR_CHANGE("role_hold", "SELECT id, name, description FROM roles WHERE id = $1");
constexpr Query role_find_name{"role_find_name", "SELECT id, name, description FROM roles WHERE name = $1"};
constexpr Query role_all{"role_all", "SELECT id, name, description FROM roles ORDER BY name"};
constexpr Query role_active{"role_active", "SELECT count(*) FROM users WHERE role_id = $1 AND is_active"};
constexpr Query role_permissions{"role_permissions",
                                 "SELECT p.id, p.name, p.description FROM permissions p"
                                 " JOIN role_permissions r ON r.permission_id = p.id WHERE r.role_id = $1 ORDER BY p.name"};
constexpr Query role_permissions_clear{"role_permissions_clear", "DELETE FROM role_permissions WHERE role_id = $1"};
constexpr Query role_permission_add{"role_permission_add",
                                    "INSERT INTO role_permissions (role_id, permission_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"};
constexpr Query role_oldest{"role_oldest",
                            "SELECT id, name, profile_image FROM users WHERE role_id = $1 ORDER BY created_at, id LIMIT 5"};
constexpr Query role_members{"role_members", "SELECT count(*) FROM users WHERE role_id = $1"};

constexpr Query permission_insert{"permission_insert",
                                  "INSERT INTO permissions (id, name, description, created_at, updated_at)"
                                  " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING"};
constexpr Query permission_all{"permission_all", "SELECT id, name, description, created_at, updated_at FROM permissions ORDER BY name"};

constexpr Query key_all{"key_all", "SELECT pem, created_at FROM signing_keys ORDER BY created_at DESC, kid"};
constexpr Query key_insert{"key_insert", "INSERT INTO signing_keys (kid, pem, created_at) VALUES ($1, $2, $3)"};
constexpr Query key_delete{"key_delete", "DELETE FROM signing_keys WHERE created_at < $1"};

std::string_view column_of(UserSort sort) {
  switch (sort) {
    case UserSort::name: return "name";
    case UserSort::email: return "email_key";
    case UserSort::createdAt: return "created_at";
  }
  return "created_at";
}

}  // namespace

const std::span<const Migration> migrations{all_migrations};

Task<Result<void>> insert_user(Transaction& tx, const UserRow& u) {
  return perform(tx, user_insert, u.id, u.name, u.email, u.password_hash, u.profile_image, u.role_id, u.is_active,
                      u.invitation_hash, u.invitation_expires_at, u.version, u.created_at, u.updated_at, Email{u.email}.key());
}

Task<Result<std::optional<UserRow>>> user(Transaction& tx, const UserId& id) { return select_one<UserRow>(tx, user_find, id); }

Task<Result<std::optional<UserRow>>> user_by_email(Transaction& tx, const std::string& email_key) {
  return select_one<UserRow>(tx, user_find_email, email_key);
}

Task<Result<std::optional<UserRow>>> user_for_change(Transaction& tx, const UserId& id) { return select_one<UserRow>(tx, user_hold, id); }

Task<Result<std::optional<UserRow>>> invited_for_change(Transaction& tx, const std::string& invitation_hash) {
  return select_one<UserRow>(tx, invited_hold, invitation_hash);
}

Task<Result<void>> update_user(Transaction& tx, const UserRow& u) {
  return perform(tx, user_update, u.id, u.name, u.password_hash, u.profile_image, u.role_id, u.is_active, u.invitation_hash,
                      u.invitation_expires_at, u.updated_at);
}

Task<Result<void>> delete_user(Transaction& tx, const UserId& id) { return perform(tx, user_delete, id); }

Task<Result<std::vector<UserRow>>> users_after(Transaction& tx, const std::string& after_id, std::int64_t limit) {
  return select<UserRow>(tx, user_after, after_id, limit);
}

Task<Result<std::int64_t>> user_count(Transaction& tx) { return number(tx, user_count_all); }

Task<Result<UserList>> list_users(Transaction& tx, const UserQuery& query) {
  Params filters;
  std::string where = " WHERE TRUE";
  const auto filter = [&](std::string_view column, Value value) {
    filters.push_back(std::move(value));
    where += fmt::format(" AND {} = ${}", column, filters.size());
  };
  if (query.roleId) filter("role_id", codec::to_value(*query.roleId));
  if (query.isActive) filter("is_active", codec::to_value(*query.isActive));

  UserList list;
  const std::string count = "SELECT count(*) FROM users" + where;
  CO_TRY(list.total, co_await number_bound(tx, Query{"user_list_count", count}, filters));

  const std::string_view direction = query.sortOrder.value_or(SortOrder::desc) == SortOrder::asc ? "ASC" : "DESC";
  const std::string page =
      fmt::format("SELECT " USER_COLUMNS " FROM users{} ORDER BY {} {}, id {} LIMIT {} OFFSET {}", where,
                  column_of(query.sortBy.value_or(UserSort::createdAt)), direction, direction, query.limit.value,
                  (query.page.value - 1) * query.limit.value);
  CO_TRY(list.rows, co_await rows_of<UserRow>(tx, Query{"user_list", page}, filters));
  co_return list;
}

Task<Result<std::int64_t>> lock_and_count_active(Transaction& tx, const RoleId& role) {
  CO_CHECK(co_await role_for_change(tx, role));
  co_return co_await number(tx, role_active, role);
}

Task<Result<void>> insert_role(Transaction& tx, const RoleRow& role, Instant now) {
  return perform(tx, role_insert, role.id, role.name, role.description, now);
}

Task<Result<void>> update_role(Transaction& tx, const RoleRow& role, Instant now) {
  return perform(tx, role_update, role.id, role.name, role.description, now);
}

Task<Result<void>> delete_role(Transaction& tx, const RoleId& id) { return perform(tx, role_delete, id); }

Task<Result<std::optional<RoleRow>>> role(Transaction& tx, const RoleId& id) { return select_one<RoleRow>(tx, role_find, id); }

Task<Result<std::optional<RoleRow>>> role_for_change(Transaction& tx, const RoleId& id) { return select_one<RoleRow>(tx, role_hold, id); }

Task<Result<std::optional<RoleRow>>> role_by_name(Transaction& tx, const std::string& name) {
  return select_one<RoleRow>(tx, role_find_name, name);
}

Task<Result<std::vector<RoleRow>>> roles(Transaction& tx) { return select<RoleRow>(tx, role_all); }

Task<Result<std::vector<PermissionSummary>>> permissions_of(Transaction& tx, const RoleId& role) {
  return select<PermissionSummary>(tx, role_permissions, role);
}

Task<Result<void>> replace_permissions(Transaction& tx, const RoleId& role, const std::vector<PermissionId>& permissions) {
  CO_CHECK(co_await execute(tx, role_permissions_clear, role));
  std::vector<Params> sets;
  for (const auto& permission : permissions) sets.push_back(codec::params_of(role, permission));
  CO_CHECK(co_await tx.run_each(role_permission_add, std::move(sets)));
  co_return Result<void>();
}

Task<Result<std::vector<RoleMember>>> oldest_members(Transaction& tx, const RoleId& role) {
  return select<RoleMember>(tx, role_oldest, role);
}

Task<Result<std::int64_t>> member_count(Transaction& tx, const RoleId& role) {
  return number(tx, role_members, role);
}

Task<Result<void>> insert_permission(Transaction& tx, const PermissionInfo& p) {
  return perform(tx, permission_insert, p.id, p.name, p.description, p.createdAt, p.updatedAt);
}

Task<Result<std::vector<PermissionInfo>>> permissions(Transaction& tx) { return select<PermissionInfo>(tx, permission_all); }

Task<Result<std::vector<KeyRow>>> keys(Transaction& tx) { return select<KeyRow>(tx, key_all); }

Task<Result<void>> insert_key(Transaction& tx, const std::string& kid, const std::string& pem, Instant now) {
  return perform(tx, key_insert, kid, pem, now);
}

Task<Result<void>> delete_keys(Transaction& tx, Instant before) { return perform(tx, key_delete, before); }

}  // namespace shop::auth::store

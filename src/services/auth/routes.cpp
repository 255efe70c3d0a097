#include "services/auth/handlers.hpp"

namespace shop::auth {

using enum Method;
using enum Permission;
using net::anyone;
using net::internal_only;
using net::needs;
using net::signed_in;

// clang-format off
const net::RouteTable<Handlers>& routes() {
  static const net::RouteTable<Handlers> table{
      {post, "/register", anyone(), &Handlers::register_customer, "Register as a customer", {201}, {409, 429}},
      {post, "/login", anyone(), &Handlers::login, "Exchange e-mail and password for a token", {200}, {401, 403, 429}},
      {get, "/me", signed_in(), &Handlers::me, "The account of the token", {200}, {404}},
      {post, "/validate", anyone().and_services(), &Handlers::validate, "Whether a token is valid, and whose it is", {200, 401}, {429}},
      {post, "/complete-invitation", anyone(), &Handlers::complete_invitation, "Accept an invitation and choose a password", {200}, {404, 410}},
      {get, "/.well-known/jwks.json", anyone(), &Handlers::jwks, "Public keys of the tokens (RFC 7517)", {200}, {}},

      {get, "/users", needs(read_user), &Handlers::users, "Users, filtered and paged", {200}, {}},
      {get, "/users/:id", needs(read_user), &Handlers::user, "One user", {200}, {404}},
      {post, "/users/invite", needs(write_user), &Handlers::invite, "Invite somebody; the mail carries a token of 24 hours", {201}, {409}},
      {put, "/users/:id", needs(write_user), &Handlers::update_user, "Change name, role or picture of a user", {200}, {404}},
      {del, "/users/:id", needs(delete_user), &Handlers::delete_user, "Deactivate a user, or withdraw a pending invitation", {204}, {404}},
      {post, "/users/:id/activate", needs(write_user), &Handlers::activate_user, "Activate a user again", {200}, {404, 409}},
      {post, "/resync-users", needs(write_user).for_operators(), &Handlers::resync_users, "Send every user as an event again", {200}, {}},

      {get, "/roles", needs(read_role), &Handlers::roles, "Roles by name", {200}, {}},
      {post, "/roles", needs(write_role), &Handlers::create_role, "Create a role", {201}, {409}},
      {get, "/roles/:id", needs(read_role), &Handlers::role, "One role", {200}, {404}},
      {put, "/roles/:id", needs(write_role), &Handlers::update_role, "Change a role; permissionIds replace", {200}, {404, 409}},
      {del, "/roles/:id", needs(write_role), &Handlers::delete_role, "Delete a role that nobody holds", {204}, {404, 409}},
      {get, "/permissions", needs(read_role), &Handlers::permissions, "Permissions by name", {200}, {}},

      {get, "/users/internal/total-count", internal_only(), &Handlers::total_count, "How many users there are", {200}, {}},
      {post, "/internal/accounts", internal_only(), &Handlers::create_accounts, "Create accounts that need no invitation", {201}, {}},
      {post, "/internal/rotate-key", internal_only(), &Handlers::rotate_key, "Sign with a new key; tokens of the old one stay valid", {204}, {}},
  };
  return table;
}
// clang-format on

}  // namespace shop::auth

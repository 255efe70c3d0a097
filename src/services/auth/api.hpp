// What auth-service says on the wire (contract, section 3).
#pragma once

#include "codec/forms.hpp"
#include "codec/query_reader.hpp"
#include "runtime/authenticator.hpp"

namespace shop::auth {

using Name = Text<2, 200>;

struct RegisterRequest {
  Name name;
  Email email;
  Password password;
  std::optional<codec::MayBeBlank<Url>> profileImage;
};
BOOST_DESCRIBE_STRUCT(RegisterRequest, (), (name, email, password, profileImage))

struct LoginRequest {
  Text<1, 254> email;
  Text<1, 1000> password;
  std::optional<bool> rememberMe;
};
BOOST_DESCRIBE_STRUCT(LoginRequest, (), (email, password, rememberMe))

struct TokenAnswer {
  std::string token;
};
BOOST_DESCRIBE_STRUCT(TokenAnswer, (), (token))

struct RoleName {
  std::string name;
};
BOOST_DESCRIBE_STRUCT(RoleName, (), (name))

struct Me {
  UserId id;
  std::string name, email;
  std::optional<std::string> profileImage;
  RoleName role;
};
BOOST_DESCRIBE_STRUCT(Me, (), (id, name, email, profileImage, role))

struct ValidateRequest {
  Text<1, 8192> token;
};
BOOST_DESCRIBE_STRUCT(ValidateRequest, (), (token))

using TokenUser = ValidatedUser;

struct ValidateAnswer {
  bool valid = false;
  codec::LeftOut<TokenUser> user;       // of a valid token
  codec::LeftOut<std::string> message;  // of any other
};
BOOST_DESCRIBE_STRUCT(ValidateAnswer, (), (valid, user, message))

struct CompleteInvitation {
  Text<1, 200> token;
  Password password;
};
BOOST_DESCRIBE_STRUCT(CompleteInvitation, (), (token, password))

struct PermissionSummary {
  PermissionId id;
  std::string name;
  std::optional<std::string> description;
};
BOOST_DESCRIBE_STRUCT(PermissionSummary, (), (id, name, description))

struct PermissionInfo {
  PermissionId id;
  std::string name;
  std::optional<std::string> description;
  Instant createdAt, updatedAt;
};
BOOST_DESCRIBE_STRUCT(PermissionInfo, (), (id, name, description, createdAt, updatedAt))

struct UserRole {
  RoleId id;
  std::string name;
  std::optional<std::string> description;
  std::vector<PermissionSummary> permissions;
};
BOOST_DESCRIBE_STRUCT(UserRole, (), (id, name, description, permissions))

struct User {
  UserId id;
  std::string name, email;
  std::optional<std::string> profileImage;
  bool isActive = true;
  Instant createdAt, updatedAt;
  UserRole role;
};
BOOST_DESCRIBE_STRUCT(User, (), (id, name, email, profileImage, isActive, createdAt, updatedAt, role))

enum class UserSort { name, email, createdAt };
BOOST_DESCRIBE_ENUM(UserSort, name, email, createdAt)

enum class SortOrder { asc, desc };
BOOST_DESCRIBE_ENUM(SortOrder, asc, desc)

struct UserQuery {
  codec::PageNumber page;
  codec::PageLimit<10> limit;
  std::optional<RoleId> roleId;
  std::optional<bool> isActive;
  std::optional<UserSort> sortBy;
  std::optional<SortOrder> sortOrder;
};
BOOST_DESCRIBE_STRUCT(UserQuery, (), (page, limit, roleId, isActive, sortBy, sortOrder))

struct UserPage {
  std::vector<User> data;
  codec::Pagination pagination;
};
BOOST_DESCRIBE_STRUCT(UserPage, (), (data, pagination))

struct InviteRequest {
  Name name;
  Email email;
  RoleId roleId;
};
BOOST_DESCRIBE_STRUCT(InviteRequest, (), (name, email, roleId))

struct InviteAnswer {
  std::string message;
  UserId userId;
};
BOOST_DESCRIBE_STRUCT(InviteAnswer, (), (message, userId))

struct UpdateUser {
  std::optional<codec::MayBeBlank<Name>> name;
  std::optional<codec::MayBeBlank<RoleId>> roleId;
  std::optional<codec::MayBeBlank<Url>> profileImage;
};
BOOST_DESCRIBE_STRUCT(UpdateUser, (), (name, roleId, profileImage))

struct RoleMember {
  UserId id;
  std::string name;
  std::optional<std::string> profileImage;
};
BOOST_DESCRIBE_STRUCT(RoleMember, (), (id, name, profileImage))

struct Role {
  RoleId id;
  std::string name;
  std::optional<std::string> description;
  std::vector<PermissionSummary> permissions;
  std::vector<RoleMember> users;  // the five oldest
  std::int64_t userCount = 0;
};
BOOST_DESCRIBE_STRUCT(Role, (), (id, name, description, permissions, users, userCount))

struct NewRole {
  Name name;
  std::optional<Text<0, 1000>> description;
  std::optional<std::vector<PermissionId>> permissionIds;
};
BOOST_DESCRIBE_STRUCT(NewRole, (), (name, description, permissionIds))

struct UpdateRole {
  std::optional<Name> name;
  codec::Patch<Text<0, 1000>> description;
  std::optional<std::vector<PermissionId>> permissionIds;  // replaces
};
BOOST_DESCRIBE_STRUCT(UpdateRole, (), (name, description, permissionIds))

struct Broadcasted {
  std::string message;
  std::int64_t broadcasted = 0;
};
BOOST_DESCRIBE_STRUCT(Broadcasted, (), (message, broadcasted))

struct Total {
  std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(Total, (), (total))

// For shopctl and the demo data: accounts made without an invitation.
struct NewAccount {
  Name name;
  Email email;
  Password password;
  std::string role;
};
BOOST_DESCRIBE_STRUCT(NewAccount, (), (name, email, password, role))

struct NewAccounts {
  std::vector<NewAccount> accounts;
};
BOOST_DESCRIBE_STRUCT(NewAccounts, (), (accounts))

struct CreatedAccounts {
  std::vector<UserId> created;
  std::vector<std::string> existing;  // e-mails that were taken; left as they are
};
BOOST_DESCRIBE_STRUCT(CreatedAccounts, (), (created, existing))

// Events on auth_events, key = user.
struct UserEvent {
  UserId id;
  std::string name, email;
  std::optional<std::string> profileImage;
  Instant createdAt;
  bool isActive = true;
};
BOOST_DESCRIBE_STRUCT(UserEvent, (), (id, name, email, profileImage, createdAt, isActive))

struct InvitedEvent {
  UserId id;
  std::string name, email, token;
};
BOOST_DESCRIBE_STRUCT(InvitedEvent, (), (id, name, email, token))

struct DeletedEvent {
  UserId id;
};
BOOST_DESCRIBE_STRUCT(DeletedEvent, (), (id))

}  // namespace shop::auth

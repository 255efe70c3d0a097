// HTTP <-> use case.
#pragma once

#include "net/route.hpp"
#include "services/auth/service.hpp"

namespace shop::auth {

using net::Body;
using net::Call;
using net::Query;

class Handlers {
 public:
  explicit Handlers(AuthService& service) : service_(service) {}

  Task<Result<TokenAnswer>> register_customer(Call& call, Body<RegisterRequest> body);
  Task<Result<TokenAnswer>> login(Call& call, Body<LoginRequest> body);
  Task<Result<Me>> me(Call& call);
  Task<Result<ValidateAnswer>> validate(Call& call, Body<ValidateRequest> body);
  Task<Result<TokenAnswer>> complete_invitation(Call& call, Body<CompleteInvitation> body);
  Task<Result<Jwks>> jwks(Call& call);

  Task<Result<UserPage>> users(Call& call, Query<UserQuery> query);
  Task<Result<User>> user(Call& call, UserId id);
  Task<Result<InviteAnswer>> invite(Call& call, Body<InviteRequest> body);
  Task<Result<User>> update_user(Call& call, UserId id, Body<UpdateUser> body);
  Task<Result<void>> delete_user(Call& call, UserId id);
  Task<Result<User>> activate_user(Call& call, UserId id);
  Task<Result<Broadcasted>> resync_users(Call& call);
  Task<Result<Total>> total_count(Call& call);

  Task<Result<std::vector<Role>>> roles(Call& call);
  Task<Result<Role>> role(Call& call, RoleId id);
  Task<Result<Role>> create_role(Call& call, Body<NewRole> body);
  Task<Result<Role>> update_role(Call& call, RoleId id, Body<UpdateRole> body);
  Task<Result<void>> delete_role(Call& call, RoleId id);
  Task<Result<std::vector<PermissionInfo>>> permissions(Call& call);

  Task<Result<CreatedAccounts>> create_accounts(Call& call, Body<NewAccounts> body);
  Task<Result<void>> rotate_key(Call& call);

 private:
  AuthService& service_;
};

const net::RouteTable<Handlers>& routes();

}  // namespace shop::auth

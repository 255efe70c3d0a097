#include "services/auth/handlers.hpp"

namespace shop::auth {

Task<Result<TokenAnswer>> Handlers::register_customer(Call& call, Body<RegisterRequest> body) {
  co_return co_await service_.register_customer(call.context, body.value, call.client);
}

Task<Result<TokenAnswer>> Handlers::login(Call& call, Body<LoginRequest> body) {
  co_return co_await service_.login(call.context, body.value, call.client);
}

Task<Result<Me>> Handlers::me(Call& call) { co_return co_await service_.me(call.context, call.caller.id); }

Task<Result<ValidateAnswer>> Handlers::validate(Call& call, Body<ValidateRequest> body) {
  auto user = co_await service_.validate(call.context, body->token.value, call.caller.internal() ? call.caller.service : call.client);
  if (user) co_return ValidateAnswer{true, {std::move(*user)}, {}};
  if (user.error().code != Code::unauthenticated) co_return Failure(std::move(user).error());
  call.status = 401;
  co_return ValidateAnswer{false, {}, {user.error().message}};
}

Task<Result<TokenAnswer>> Handlers::complete_invitation(Call& call, Body<CompleteInvitation> body) {
  co_return co_await service_.complete_invitation(call.context, body.value);
}

Task<Result<Jwks>> Handlers::jwks(Call& call) { co_return co_await service_.jwks(call.context); }

Task<Result<UserPage>> Handlers::users(Call& call, Query<UserQuery> query) {
  co_return co_await service_.users(call.context, query.value);
}

Task<Result<User>> Handlers::user(Call& call, UserId id) { co_return co_await service_.user(call.context, id); }

Task<Result<InviteAnswer>> Handlers::invite(Call& call, Body<InviteRequest> body) {
  co_return co_await service_.invite(call.context, body.value);
}

Task<Result<User>> Handlers::update_user(Call& call, UserId id, Body<UpdateUser> body) {
  co_return co_await service_.update_user(call.context, call.caller.id, id, body.value);
}

Task<Result<void>> Handlers::delete_user(Call& call, UserId id) {
  co_return co_await service_.delete_user(call.context, call.caller.id, id);
}

Task<Result<User>> Handlers::activate_user(Call& call, UserId id) { co_return co_await service_.activate_user(call.context, id); }

Task<Result<Broadcasted>> Handlers::resync_users(Call& call) {
  CO_TRY(const auto count, co_await service_.resync_users(call.context));
  co_return Broadcasted{"All users are being sent again.", count};
}

Task<Result<Total>> Handlers::total_count(Call& call) {
  CO_TRY(const auto count, co_await service_.user_count(call.context));
  co_return Total{count};
}

Task<Result<std::vector<Role>>> Handlers::roles(Call& call) { co_return co_await service_.roles(call.context); }

Task<Result<Role>> Handlers::role(Call& call, RoleId id) { co_return co_await service_.role(call.context, id); }

Task<Result<Role>> Handlers::create_role(Call& call, Body<NewRole> body) {
  co_return co_await service_.create_role(call.context, body.value);
}

Task<Result<Role>> Handlers::update_role(Call& call, RoleId id, Body<UpdateRole> body) {
  co_return co_await service_.update_role(call.context, id, body.value);
}

Task<Result<void>> Handlers::delete_role(Call& call, RoleId id) { co_return co_await service_.delete_role(call.context, id); }

Task<Result<std::vector<PermissionInfo>>> Handlers::permissions(Call& call) {
  co_return co_await service_.permissions(call.context);
}

Task<Result<CreatedAccounts>> Handlers::create_accounts(Call& call, Body<NewAccounts> body) {
  co_return co_await service_.create_accounts(call.context, body.value);
}

Task<Result<void>> Handlers::rotate_key(Call& call) { co_return co_await service_.rotate_key(call.context); }

}  // namespace shop::auth

#include "runtime/authenticator.hpp"

namespace shop {
namespace {

constexpr milliseconds keys_pause{1000};  // an unknown kid asks for the keys again, not more often than this

struct ValidateRequest {
  std::string token;
};
BOOST_DESCRIBE_STRUCT(ValidateRequest, (), (token))

struct ValidateAnswer {
  bool valid = false;
  ValidatedUser user;
};
BOOST_DESCRIBE_STRUCT(ValidateAnswer, (), (valid, user))

}  // namespace

Principal principal_of(const ValidatedUser& user) {
  Principal principal{.kind = Principal::Kind::user,
                      .id = user.id,
                      .name = user.name,
                      .email = user.email,
                      .profile_image = user.profileImage,
                      .role = user.role,
                      .permissions = {},
                      .service = {}};
  for (const auto& name : user.permissions) {
    if (const auto permission = permission_named(name)) principal.permissions.set(static_cast<std::size_t>(*permission));
  }
  return principal;
}

TokenAuthenticator::TokenAuthenticator(ServiceCaller& caller, Clock& clock, milliseconds max_age)
    : auth_(caller, "auth-service"), clock_(clock), max_age_(max_age) {}

Task<Result<Principal>> TokenAuthenticator::authenticate(const Context& context, std::string token) {
  if (token.size() > max_token_bytes) co_return fail(Code::unauthenticated, "The token is not valid.", "INVALID_TOKEN");
  const std::string hash = sha256(token);
  if (const auto known = cache_.get(hash)) {
    if ((*known)->expires <= clock_.wall()) co_return fail(Code::unauthenticated, "The token has expired.", "TOKEN_EXPIRED");
    if (clock_.now() - (*known)->checked < max_age_) {
      ++hits_;
      co_return (*known)->principal;
    }
  }
  ++misses_;
  CO_TRY(const Claims claims, co_await verify(context, token));
  CO_TRY(const auto answer, co_await auth_.post<ValidateAnswer>(context, "/validate", ValidateRequest{token}));
  if (answer.user.id != claims.id) co_return fail(Code::unauthenticated, "The token is not valid.", "INVALID_TOKEN");
  auto known = std::make_shared<const Known>(Known{principal_of(answer.user), clock_.now(), Instant{claims.exp * 1000}});
  cache_.put(hash, known);
  co_return known->principal;
}

Task<Result<Claims>> TokenAuthenticator::verify(const Context& context, const std::string& token) {
  const auto current = [this] {
    const std::lock_guard lock(keys_mutex_);
    return keys_;
  };
  auto keys = current();
  if (!keys || !keys->knows(token_kid(token))) {
    CO_CHECK(co_await load_keys(context));
    keys = current();
  }
  co_return keys->verify(token, clock_.wall());
}

Task<Result<void>> TokenAuthenticator::load_keys(const Context& context) {
  {
    const std::lock_guard lock(keys_mutex_);
    if (keys_ && clock_.now() - keys_loaded_ < keys_pause) co_return Result<void>();
  }
  CO_TRY(const auto jwks, co_await auth_.get<Jwks>(context, "/.well-known/jwks.json"));
  CO_TRY(auto keys, KeySet::from(jwks));
  const std::lock_guard lock(keys_mutex_);
  keys_ = std::make_shared<const KeySet>(std::move(keys));
  keys_loaded_ = clock_.now();
  co_return Result<void>();
}

void TokenAuthenticator::forget(const UserId& user) {
  cache_.erase_if([&](const auto& known) { return known->principal.id == user; });
}

}  // namespace shop

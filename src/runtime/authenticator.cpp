#include "runtime/authenticator.hpp"

namespace shop {
namespace {

// An unknown kid asks for the keys again, not more often than this: whoever comes in between waits. It may be a token of a key
// that is newer than ours, and a guessed kid must not make that one fail.
constexpr milliseconds keys_pause{300}, keys_look{50};
constexpr int keys_attempts = 8;

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

void watch_tokens(Metrics& metrics, const TokenAuthenticator& authenticator) {
  auto& hits = metrics.gauge("cache_hits", "Answers that came from the cache, since the start.", {{"cache", "tokens"}});
  auto& misses = metrics.gauge("cache_misses", "Those that had to be asked for.", {{"cache", "tokens"}});
  metrics.on_scrape([&hits, &misses, &authenticator] {
    hits.Set(static_cast<double>(authenticator.hits()));
    misses.Set(static_cast<double>(authenticator.misses()));
  });
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
  for (int attempt = 0; attempt < keys_attempts && (!keys || !keys->knows(token_kid(token))); ++attempt) {
    CO_CHECK(co_await load_keys(context));
    keys = current();
  }
  if (!keys) co_return fail(Code::unavailable, "Tokens cannot be checked now.");
  co_return keys->verify(token, clock_.wall());
}

Task<Result<void>> TokenAuthenticator::load_keys(const Context& context) {
  if (const auto wait = claim_load(); wait > Monotonic::duration::zero()) {
    co_await clock_.sleep(std::min(keys_look, std::chrono::ceil<milliseconds>(wait)));
    co_return Result<void>();
  }
  CO_TRY(const auto jwks, co_await auth_.get<Jwks>(context, "/.well-known/jwks.json"));
  CO_TRY(auto keys, KeySet::from(jwks));
  const std::lock_guard lock(keys_mutex_);
  keys_ = std::make_shared<const KeySet>(std::move(keys));
  co_return Result<void>();
}

Monotonic::duration TokenAuthenticator::claim_load() {
  const auto now = clock_.now();
  const std::lock_guard lock(keys_mutex_);
  if (now < next_load_) return next_load_ - now;
  next_load_ = now + keys_pause;
  return Monotonic::duration::zero();
}

}  // namespace shop

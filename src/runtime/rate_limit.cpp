#include "runtime/rate_limit.hpp"

#include <charconv>

#include "runtime/tokens.hpp"

namespace shop {
namespace {

// Subjects are addresses and e-mails: hashed, so that no store lists them.
std::string key_of(const Limit& limit, std::string_view subject) {
  return "limit:" + limit.name + ":" + fingerprint(subject);
}

Failure too_many(const Limit& limit) {
  return fail(Error{Code::rate_limited, "Too many requests. Try again later.", "RATE_LIMITED", {}, limit.name, limit.window});
}

}  // namespace

Task<Result<void>> RateLimiter::count(const Context& context, const Limit& limit, std::string_view subject) {
  const auto count = co_await store_.increment(context, key_of(limit, subject), limit.window);
  if (count && *count > limit.most) co_return too_many(limit);
  co_return Result<void>();
}

Task<Result<void>> RateLimiter::check(const Context& context, const Limit& limit, std::string_view subject) {
  const auto found = co_await store_.get(context, {key_of(limit, subject)});
  if (!found || !found->front()) co_return Result<void>();
  std::int64_t count = 0;
  const auto& text = *found->front();
  std::from_chars(text.data(), text.data() + text.size(), count);
  if (count >= limit.most) co_return too_many(limit);
  co_return Result<void>();
}

}  // namespace shop

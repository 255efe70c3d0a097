#include "runtime/idempotency.hpp"

#include <algorithm>
#include <tuple>

#include "runtime/tokens.hpp"

namespace shop {
namespace {

constexpr Query insert_fresh{"claim_fresh",
                             "INSERT INTO idempotency_keys (caller, key, request_hash, resource, created_at, status, body)"
                             " VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr Query insert{"claim_insert",
                       "INSERT INTO idempotency_keys (caller, key, request_hash, resource, created_at, status, body)"
                       " VALUES ($1, $2, $3, $4, $5, $7, $8)"
                       " ON CONFLICT (caller, key) DO UPDATE SET request_hash = excluded.request_hash, resource = excluded.resource,"
                       " created_at = excluded.created_at, status = excluded.status, body = excluded.body"
                       " WHERE idempotency_keys.created_at < $6"};
constexpr Query find{"claim_find",
                     "SELECT request_hash, resource, status, body FROM idempotency_keys"
                     " WHERE caller = $1 AND key = $2 AND created_at >= $3"};
constexpr Query finish{"claim_settle", "UPDATE idempotency_keys SET status = $3, body = $4 WHERE caller = $1 AND key = $2"};
constexpr Query drop{"claim_release", "DELETE FROM idempotency_keys WHERE resource = $1 AND status = 0"};
constexpr Query forget{"claim_forget",
                       "DELETE FROM idempotency_keys WHERE created_at < $1 AND (caller, key) IN"
                       " (SELECT caller, key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2)"};

Task<Result<std::optional<Claim>>> claim_as(Transaction& tx, const IdempotencyKey& key, const std::string& resource, const Instant& now, int status,
                                            const std::string& body) {
  CO_TRY(const auto changed, co_await execute(tx, insert, key.caller, key.key, key.request_hash, resource, now, now - idempotency_lifetime,
                                              status, body));
  if (changed > 0) co_return std::optional<Claim>();
  CO_TRY(auto standing, co_await standing_claim(tx, key, now));
  if (!standing) co_return fail(Code::unavailable, "The key was freed meanwhile; send the request again.");
  co_return standing;
}

}  // namespace

Task<Result<std::optional<Claim>>> standing_claim(Transaction& tx, const IdempotencyKey& key, const Instant& now) {
  CO_TRY(auto standing, co_await select_one<Claim>(tx, find, key.caller, key.key, now - idempotency_lifetime));
  if (standing && standing->request_hash != key.request_hash) co_return fail(Code::unprocessable, "This Idempotency-Key was used for another request.");
  co_return standing;
}

Task<Result<std::optional<Claim>>> claim(Transaction& tx, const IdempotencyKey& key, const std::string& resource, const Instant& now) {
  co_return co_await claim_as(tx, key, resource, now, 0, std::string());
}

Task<Result<std::optional<Claim>>> claim_answered(Transaction& tx, const IdempotencyKey& key, const std::string& resource, const Instant& now,
                                                  int status, const std::string& body) {
  CO_TRY(auto standing, co_await claim_as(tx, key, resource, now, status, body));
  if (!standing || standing->status != 0 || standing->resource != resource) co_return standing;
  CO_CHECK(co_await settle_claim(tx, key, status, body));
  co_return std::optional<Claim>();
}

Task<Result<void>> claim_fresh(Transaction& tx, std::vector<AnsweredClaim> claims, const Instant& now) {
  std::ranges::sort(claims, {}, [](const AnsweredClaim& c) { return std::tie(c.key->caller, c.key->key); });  // in which all lock them
  std::vector<Params> sets;
  for (const auto& c : claims) sets.push_back(codec::params_of(c.key->caller, c.key->key, c.key->request_hash, c.resource, now, c.status, c.body));
  return tx.later(insert_fresh, std::move(sets));
}

Task<Result<void>> settle_claim(Transaction& tx, const IdempotencyKey& key, int status, const std::string& body) {
  CO_CHECK(co_await execute(tx, finish, key.caller, key.key, status, body));
  co_return Result<void>();
}

Task<Result<void>> release_claim(Transaction& tx, const std::string& resource) {
  CO_CHECK(co_await execute(tx, drop, resource));
  co_return Result<void>();
}

Task<std::string> Rendezvous::agree(const Context& context, const IdempotencyKey& key, std::string proposal) {
  const auto place = "rendezvous:" + fingerprint(key.request_hash + '\0' + key.caller + '\0' + key.key);
  Context brief = context;
  brief.deadline = std::min(context.deadline, clock_.now() + patience);
  const auto first = co_await store_.swap(brief, {{place, std::nullopt, proposal, lifetime}});
  if (!first || *first) co_return proposal;
  auto found = co_await store_.get(brief, {place});
  co_return found && found->front() ? std::move(*found->front()) : std::move(proposal);
}

Result<std::optional<std::string>> idempotency_header(const Request& request) {
  if (!request.headers.has("Idempotency-Key")) return std::optional<std::string>();
  const auto header = request.headers.get("Idempotency-Key");
  if (header.empty() || header.size() > 200) {
    return fail(codec::faulty({{"Idempotency-Key", "must have 1 to 200 bytes"}}));
  }
  if (utf8_length(header) < 0) return fail(codec::faulty({{"Idempotency-Key", "must be valid UTF-8 text"}}));  // no store keeps anything else
  return std::optional<std::string>(header);
}

Task<Result<std::int64_t>> forget_claims(Transaction& tx, const Instant& before, std::int64_t limit) {
  co_return co_await execute(tx, forget, before, limit);
}

Task<Result<bool>> forget_old_claims(Database& database, const Context& context, Instant now) {
  constexpr std::int64_t at_once = 1000;
  CO_TRY(const auto forgotten, co_await write(database, context, forget_claims, now - idempotency_lifetime, at_once));
  co_return forgotten == at_once;
}

}  // namespace shop

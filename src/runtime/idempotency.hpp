// Idempotency keys (draft-ietf-httpapi-idempotency-key-header): the same key gives the same result for 24 hours, a second
// request under it with another body is refused. The claim is one insert that the primary key arbitrates.
#pragma once

#include <optional>
#include <string>

#include "base/http.hpp"
#include "ports/clock.hpp"
#include "ports/database.hpp"
#include "ports/key_value.hpp"

namespace shop {

struct IdempotencyKey {
  std::string caller;        // whose key it is; keys of two callers never meet
  std::string key;           // as sent; at most 200 bytes
  std::string request_hash;  // of everything that makes the request another one
};

// A claim as it stands: `status` is 0 while the work is not done.
struct Claim {
  std::string request_hash;
  std::string resource;  // what the claimer chose, e.g. the id of the order to be
  std::int64_t status = 0;
  std::string body;
};
BOOST_DESCRIBE_STRUCT(Claim, (), (request_hash, resource, status, body))

inline constexpr std::string_view idempotency_schema =
    "CREATE TABLE idempotency_keys (caller TEXT NOT NULL, key TEXT NOT NULL, request_hash TEXT NOT NULL, resource TEXT NOT NULL,"
    " status INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL DEFAULT '', created_at BIGINT NOT NULL, PRIMARY KEY (caller, key));\n"
    "CREATE INDEX idempotency_keys_resource ON idempotency_keys (resource);\n"
    "CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);\n";

// What stands under the key; nothing where it is free, or older than its lifetime. unprocessable: another request's key.
Task<Result<std::optional<Claim>>> standing_claim(Transaction& tx, const IdempotencyKey& key, const Instant& now);

// Nothing: the claim is this caller's, with `resource`. Otherwise what stands there. unprocessable: another request's key.
Task<Result<std::optional<Claim>>> claim(Transaction& tx, const IdempotencyKey& key, const std::string& resource, const Instant& now);

// The same for work that this transaction ends: the claim is made with its answer, or an open one with this `resource` gets it.
Task<Result<std::optional<Claim>>> claim_answered(Transaction& tx, const IdempotencyKey& key, const std::string& resource, const Instant& now,
                                                  int status, const std::string& body);

// For several that nobody has claimed before: conflict UNIQUE when one was.
struct AnsweredClaim {
  const IdempotencyKey* key;
  std::string resource;
  int status = 0;
  std::string_view body;
};
Task<Result<void>> claim_fresh(Transaction& tx, std::vector<AnsweredClaim> claims, const Instant& now);

Task<Result<void>> settle_claim(Transaction& tx, const IdempotencyKey& key, int status, const std::string& body);

// Work that was given up: the key is free again.
Task<Result<void>> release_claim(Transaction& tx, const std::string& resource);

// Where requests under one key that are under way at once, or come again after a crash, agree on what they work for before anything of it
// is committed. No more than advice: who cannot ask goes on with its own proposal, and the claim decides.
class Rendezvous {
 public:
  Rendezvous(KeyValueStore& store, Clock& clock) : store_(store), clock_(clock) {}

  // What the first of them has proposed within the last `lifetime`; waits for at most `patience`.
  Task<std::string> agree(const Context& context, const IdempotencyKey& key, std::string proposal);

  static constexpr seconds lifetime{20};
  static constexpr milliseconds patience{200};

 private:
  KeyValueStore& store_;
  Clock& clock_;
};

// The header Idempotency-Key. invalid when it is empty, longer than 200 bytes, or no UTF-8.
Result<std::optional<std::string>> idempotency_header(const Request& request);

inline constexpr hours idempotency_lifetime{24};

// At most `limit` of them, the oldest; how many: fewer when no more are left.
Task<Result<std::int64_t>> forget_claims(Transaction& tx, const Instant& before, std::int64_t limit);

// Some of those whose lifetime is over, in a transaction of its own, so that others write in between; true: there are more. For janitors.
Task<Result<bool>> forget_old_claims(Database& database, const Context& context, Instant now);

}  // namespace shop

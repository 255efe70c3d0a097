#include "adapters/sql_kv/sql_kv.hpp"

namespace shop {
namespace {

constexpr Query create{"kv_create",
                       "CREATE TABLE IF NOT EXISTS key_values (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at BIGINT NOT NULL)"};
constexpr Query create_index{"kv_index", "CREATE INDEX IF NOT EXISTS key_values_expiry ON key_values (expires_at)"};
constexpr Query find{"kv_find", "SELECT value, expires_at FROM key_values WHERE key = $1 AND expires_at > $2"};
constexpr Query prolong{"kv_prolong", "UPDATE key_values SET expires_at = $2 WHERE key = $1"};
constexpr Query put{"kv_put",
                    "INSERT INTO key_values (key, value, expires_at) VALUES ($1, $2, $3)"
                    " ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at"};
constexpr Query erase{"kv_erase", "DELETE FROM key_values WHERE key = $1"};
constexpr Query expire{"kv_expire",
                       "DELETE FROM key_values WHERE key IN (SELECT key FROM key_values WHERE expires_at <= $1 LIMIT 1000)"};

// A refresh is written only when it moves the expiry by more than this share: reads stay reads.
constexpr int refresh_share = 24;

struct Found {
  std::string value;
  Instant expires_at;
};
BOOST_DESCRIBE_STRUCT(Found, (), (value, expires_at))

Task<Result<void>> create_in(Transaction& tx) {
  CO_CHECK(co_await tx.run(create, {}));
  CO_CHECK(co_await tx.run(create_index, {}));
  co_return Result<void>();
}

Task<Result<std::vector<std::optional<Found>>>> find_in(Transaction& tx, const std::vector<std::string>& keys, const Instant& now) {
  std::vector<std::optional<Found>> found;
  for (const auto& key : keys) {
    CO_TRY(found.emplace_back(), co_await select_one<Found>(tx, find, key, now));
  }
  co_return found;
}

Task<Result<void>> prolong_in(Transaction& tx, const std::vector<std::string>& keys, const Instant& until) {
  for (const auto& key : keys) CO_CHECK(co_await execute(tx, prolong, key, until));
  co_return Result<void>();
}

Task<Result<bool>> swap_in(Transaction& tx, const std::vector<KeyValueStore::Change>& changes, const Instant& now) {
  for (const auto& change : changes) {
    CO_TRY(const auto found, co_await select_one<Found>(tx, find, change.key, now));
    if (change.expected ? !found || found->value != *change.expected : found.has_value()) co_return false;
  }
  for (const auto& change : changes) {
    if (change.value) CO_CHECK(co_await execute(tx, put, change.key, *change.value, now + change.ttl));
    else CO_CHECK(co_await execute(tx, erase, change.key));
  }
  co_return true;
}

Task<Result<std::int64_t>> increment_in(Transaction& tx, const std::string& key, const Instant& now, const Instant& until) {
  CO_TRY(const auto found, co_await select_one<Found>(tx, find, key, now));
  const std::int64_t count = found ? std::stoll(found->value) + 1 : 1;
  CO_CHECK(co_await execute(tx, put, key, std::to_string(count), found ? found->expires_at : until));
  co_return count;
}

Task<Result<std::int64_t>> expire_in(Transaction& tx, const Instant& now) { co_return co_await execute(tx, expire, now); }

}  // namespace

Task<Result<void>> SqlKeyValue::prepare(const Context& context) { co_return co_await write(database_, context, create_in); }

Task<Result<bool>> SqlKeyValue::sweep(const Context& context) {
  CO_TRY(const auto count, co_await write(database_, context, expire_in, clock_.wall()));
  co_return count == 1000;
}

Task<Result<std::vector<std::optional<std::string>>>> SqlKeyValue::get(const Context& context, std::vector<std::string> keys,
                                                                       seconds refresh) {
  const auto now = clock_.wall();
  CO_TRY(auto found, co_await read(database_, context, find_in, keys, now));
  std::vector<std::optional<std::string>> values;
  std::vector<std::string> aging;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (found[i] && refresh > seconds(0) && found[i]->expires_at < now + refresh - refresh / refresh_share) aging.push_back(keys[i]);
    values.push_back(found[i] ? std::optional(std::move(found[i]->value)) : std::nullopt);
  }
  if (!aging.empty()) CO_CHECK(co_await write(database_, context, prolong_in, aging, now + refresh));
  co_return values;
}

Task<Result<bool>> SqlKeyValue::swap(const Context& context, std::vector<Change> changes) {
  const auto now = clock_.wall();
  co_return co_await write(database_, context, swap_in, changes, now);
}

Task<Result<std::int64_t>> SqlKeyValue::increment(const Context& context, std::string key, seconds ttl) {
  const auto now = clock_.wall();
  co_return co_await write(database_, context, increment_in, key, now, now + ttl);
}

Task<Result<void>> SqlKeyValue::ping(const Context& context) { co_return co_await database_.ping(context); }

}  // namespace shop

#include "services/cart/store.hpp"

#include "codec/base64.hpp"
#include "runtime/tokens.hpp"

namespace shop::cart::store {
namespace {

std::string cart_key(const CartId& id) { return "cart:" + id.text(); }
std::string owner_key(const UserId& user) { return "cart_user:" + user.text(); }
std::string replay_key(const CartId& id, const std::string& key) {
  return fmt::format("cart_replay:{}:{}", id.text(), codec::base64url(sha256(key)));
}

}  // namespace

Task<Result<std::optional<Kept>>> find(KeyValueStore& store, const Context& context, const CartId& id, const Principal& caller) {
  std::vector<std::string> keys{cart_key(id)};
  if (caller.user()) keys.push_back(owner_key(caller.id));
  CO_TRY(auto values, co_await store.get(context, std::move(keys), lifetime));
  auto& json = values.front();
  if (!json) co_return std::optional<Kept>();
  auto cart = codec::from_json<Cart>(*json);
  if (!cart) co_return fail(Code::bad_upstream, "The cart cannot be read.", {}, cart.error().message);
  co_return Kept{std::move(*cart), std::move(*json)};
}

Task<Result<std::optional<CartId>>> cart_of(KeyValueStore& store, const Context& context, const UserId& user) {
  CO_TRY(const auto values, co_await store.get(context, {owner_key(user)}, lifetime));
  if (!values.front()) co_return std::optional<CartId>();
  const auto id = CartId::parse(*values.front());
  if (!id) co_return fail(Code::bad_upstream, "The user's cart cannot be read.", {}, *values.front());
  co_return *id;
}

Task<Result<std::optional<Replay>>> replay(KeyValueStore& store, const Context& context, const CartId& id, const std::string& key) {
  CO_TRY(const auto values, co_await store.get(context, {replay_key(id, key)}));
  if (!values.front()) co_return std::optional<Replay>();
  const auto& text = *values.front();
  const auto end = text.find('\n');
  if (end == text.npos) co_return fail(Code::bad_upstream, "The earlier answer cannot be read.");
  co_return Replay{text.substr(0, end), text.substr(end + 1)};
}

KeyValueStore::Change added(const CartId& id, std::string json) { return {cart_key(id), std::nullopt, std::move(json), lifetime}; }

KeyValueStore::Change replaced(const Kept& before, std::string json) {
  return {cart_key(before.cart.id), before.json, std::move(json), lifetime};
}

KeyValueStore::Change removed(const Kept& before) { return {cart_key(before.cart.id), before.json, std::nullopt, lifetime}; }

KeyValueStore::Change owned(const UserId& user, const std::optional<CartId>& before, const std::optional<CartId>& after) {
  const auto text = [](const std::optional<CartId>& id) { return id ? std::optional(id->text()) : std::nullopt; };
  return {owner_key(user), text(before), text(after), lifetime};
}

KeyValueStore::Change remembered(const CartId& id, const std::string& key, const Replay& replay) {
  return {replay_key(id, key), std::nullopt, replay.request_hash + "\n" + replay.answer, replay_lifetime};
}

}  // namespace shop::cart::store

// The only keys of cart-service. Everything lives seven days from its last use.
//
//   cart:<cartId>                      the Cart as JSON, exactly as it is answered
//   cart_user:<userId>                 the id of the cart that is the user's
//   cart_replay:<cartId>:<key's hash>  hash of the request, line end, the answer that it got (nothing when it was large); 24 hours
#pragma once

#include "base/principal.hpp"
#include "ports/key_value.hpp"
#include "services/cart/domain.hpp"

namespace shop::cart::store {

inline constexpr seconds lifetime{604'800}, replay_lifetime{86'400};

struct Kept {
  Cart cart;
  std::string json;  // what stands in the store, for the comparison when it is changed
};

// Prolongs the life of the cart, and of the caller's own mark when the caller is a user. bad_upstream: what stands there is no cart.
Task<Result<std::optional<Kept>>> find(KeyValueStore& store, const Context& context, const CartId& id, const Principal& caller);

Task<Result<std::optional<CartId>>> cart_of(KeyValueStore& store, const Context& context, const UserId& user);

struct Replay {
  std::string request_hash, answer;
};
Task<Result<std::optional<Replay>>> replay(KeyValueStore& store, const Context& context, const CartId& id, const std::string& key);

// Changes for KeyValueStore::swap.
KeyValueStore::Change added(const CartId& id, std::string json);
KeyValueStore::Change replaced(const Kept& before, std::string json);
KeyValueStore::Change removed(const Kept& before);
KeyValueStore::Change owned(const UserId& user, const std::optional<CartId>& before, const std::optional<CartId>& after);
KeyValueStore::Change remembered(const CartId& id, const std::string& key, const Replay& replay);

}  // namespace shop::cart::store

// Use cases of carts (seed 7.3).
//
// A change reads the cart, edits it and swaps it for what was read, and begins again when somebody came in between: inside
// this process changes of one cart take turns, so only other processes can. What was answered is kept; what could not be
// kept was not answered.
#pragma once

#include <functional>

#include "ports/random.hpp"
#include "runtime/turnstile.hpp"
#include "services/cart/clients.hpp"
#include "services/cart/store.hpp"

namespace shop::cart {

struct Settings {
  milliseconds catalogue_limit{1000};  // so long the catalogue is waited for before the request's own words are taken
};

class CartService {
 public:
  CartService(Settings settings, KeyValueStore& store, CataloguePeer catalogue, Clock& clock, Random& random);

  struct Shown {
    std::string json;  // the Cart
    bool created = false;
  };
  // Makes a cart under `id` when there is none, under an unguessable one when no id is given. not_found: another user's.
  Task<Result<Shown>> open(const Context& context, const std::optional<CartId>& id, const Principal& caller);

  struct Adding {
    NewItem item;
    std::optional<Currency> currency;
    std::string language;
    std::optional<std::string> idempotency_key;
    std::string request_hash;
  };
  Task<Result<std::string>> add(const Context& context, const CartId& id, const Principal& caller, const Adding& adding);

  Task<Result<std::string>> set_quantity(const Context& context, const CartId& id, const Principal& caller, const CartItemId& item,
                                         std::int64_t quantity);
  Task<Result<std::string>> remove_line(const Context& context, const CartId& id, const Principal& caller, const CartItemId& item);
  Task<Result<std::string>> clear(const Context& context, const CartId& id, const Principal& caller);
  Task<Result<void>> remove(const Context& context, const CartId& id, const Principal& caller);

  // The cart becomes the caller's; lines of the one that was theirs before are merged into it. Nothing: no such cart.
  Task<Result<std::optional<Cart>>> associate(const Context& context, const CartId& id, const Principal& caller);

  Task<Result<void>> ping(const Context& context) { return store_.ping(context); }
  void abandon() { turns_.abandon(); }

 private:
  using Edit = std::function<Result<void>(Cart& cart)>;

  Task<Result<std::string>> change(const Context& context, const CartId& id, const Principal& caller, const Edit& edit,
                                   const Adding* adding = nullptr);
  Task<Result<store::Kept>> kept(const Context& context, const CartId& id, const Principal& caller);
  Task<Result<std::optional<std::string>>> earlier_answer(const Context& context, const store::Kept& present, const Adding& adding);
  Task<Result<CartItem>> line_for(const Context& context, const Adding& adding);
  Task<Result<void>> come_back(int attempt);

  const Settings settings_;
  KeyValueStore& store_;
  const CataloguePeer catalogue_;
  Clock& clock_;
  Random& random_;
  Turnstile turns_;
};

}  // namespace shop::cart

#include "services/cart/service.hpp"

#include <algorithm>

namespace shop::cart {
namespace {

constexpr int max_attempts = 100;
constexpr std::size_t max_replay = 64 * 1024;  // of an answer that is kept; a larger one is answered with the present cart

Failure no_cart() { return fail(Code::not_found, "Cart not found."); }

// The catalogue could not be asked, which says nothing about the variant.
bool away(const Error& error) {
  return error.code == Code::unavailable || error.code == Code::timed_out || error.code == Code::bad_upstream ||
         error.code == Code::unknown_outcome;
}

Failure unknown_currency(const Currency& code) {
  return fail(Error{Code::invalid, fmt::format("The currency {} is not known.", code.text()), "UNKNOWN_CURRENCY",
                    {{"X-Currency", "is not known"}}, {}, {}});
}

Result<std::string> json_of(const Cart& cart) {
  auto json = codec::to_json(cart);
  if (json.size() > max_bytes) return fail(Code::invalid, "The cart is too large.", "CART_FULL");
  return json;
}

}  // namespace

CartService::CartService(Settings settings, KeyValueStore& store, CataloguePeer catalogue, Clock& clock, Random& random)
    : settings_(settings), store_(store), catalogue_(std::move(catalogue)), clock_(clock), random_(random), turns_(clock) {}

Task<Result<CartService::Shown>> CartService::open(const Context& context, const std::optional<CartId>& id, const Principal& caller) {
  const CartId wanted = id.value_or(CartId{random_.uuid4()});
  for (int attempt = 0;; ++attempt) {
    CO_TRY(auto found, co_await store::find(store_, context, wanted, caller));
    if (found && !open_to(found->cart, caller)) co_return no_cart();
    if (found) co_return Shown{std::move(found->json), false};
    auto json = codec::to_json(empty_cart(wanted, clock_.wall()));
    CO_TRY(const bool made, co_await store_.swap(context, {store::added(wanted, json)}));
    if (made) co_return Shown{std::move(json), true};
    CO_CHECK(co_await come_back(attempt));
  }
}

Task<Result<std::string>> CartService::add(const Context& context, const CartId& id, const Principal& caller, const Adding& adding) {
  if (adding.idempotency_key) {  // a repeated request does not need the catalogue again
    CO_TRY(const auto present, co_await kept(context, id, caller));
    CO_TRY(auto answer, co_await earlier_answer(context, present, adding));
    if (answer) co_return std::move(*answer);
  }
  CO_TRY(auto line, co_await line_for(context, adding));
  line.addedAt = clock_.wall();
  line.itemId = random_.id<CartItemId>(line.addedAt);
  co_return co_await change(context, id, caller, [&line](Cart& cart) { return add_line(cart, line); }, &adding);
}

Task<Result<std::string>> CartService::set_quantity(const Context& context, const CartId& id, const Principal& caller, const CartItemId& item,
                                                    std::int64_t quantity) {
  co_return co_await change(context, id, caller, [&](Cart& cart) { return cart::set_quantity(cart, item, quantity); });
}

Task<Result<std::string>> CartService::remove_line(const Context& context, const CartId& id, const Principal& caller, const CartItemId& item) {
  co_return co_await change(context, id, caller, [&](Cart& cart) { return cart::remove_line(cart, item); });
}

Task<Result<std::string>> CartService::clear(const Context& context, const CartId& id, const Principal& caller) {
  co_return co_await change(context, id, caller, [](Cart& cart) { return cart.items.clear(), Result<void>(); });
}

Task<Result<void>> CartService::remove(const Context& context, const CartId& id, const Principal& caller) {
  CO_TRY(const auto turn, co_await turns_.enter(context, id.text()));
  for (int attempt = 0;; ++attempt) {
    CO_TRY(const auto before, co_await kept(context, id, caller));
    std::vector<KeyValueStore::Change> changes{store::removed(before)};
    if (before.cart.userId) {
      CO_TRY(const auto own, co_await store::cart_of(store_, context, *before.cart.userId));
      if (own == id) changes.push_back(store::owned(*before.cart.userId, own, std::nullopt));
    }
    CO_TRY(const bool done, co_await store_.swap(context, std::move(changes)));
    if (done) co_return Result<void>();
    CO_CHECK(co_await come_back(attempt));
  }
}

Task<Result<std::optional<Cart>>> CartService::associate(const Context& context, const CartId& id, const Principal& caller) {
  CO_TRY(const auto turn, co_await turns_.enter(context, id.text()));
  for (int attempt = 0;; ++attempt) {
    CO_TRY(const auto before, co_await store::find(store_, context, id, caller));
    if (!before) co_return std::optional<Cart>();
    if (!open_to(before->cart, caller)) co_return no_cart();
    CO_TRY(const auto own, co_await store::cart_of(store_, context, caller.id));
    if (own == id && before->cart.userId) co_return before->cart;

    Cart after = before->cart;
    after.userId = caller.id;
    after.updatedAt = clock_.wall();
    std::vector<KeyValueStore::Change> changes{store::owned(caller.id, own, id)};
    if (own && own != id) {
      CO_TRY(const auto other, co_await store::find(store_, context, *own, caller));
      if (other && other->cart.userId == caller.id) {
        merge(after, other->cart);
        changes.push_back(store::removed(*other));
      }
    }
    changes.push_back(store::replaced(*before, codec::to_json(after)));
    CO_TRY(const bool done, co_await store_.swap(context, std::move(changes)));
    if (done) co_return after;
    CO_CHECK(co_await come_back(attempt));
  }
}

Task<Result<std::string>> CartService::change(const Context& context, const CartId& id, const Principal& caller, const Edit& edit,
                                              const Adding* adding) {
  const bool once = adding && adding->idempotency_key;
  CO_TRY(const auto turn, co_await turns_.enter(context, id.text()));
  for (int attempt = 0;; ++attempt) {
    CO_TRY(const auto before, co_await kept(context, id, caller));
    if (once) {  // the same key may have been served while this one waited
      CO_TRY(auto answer, co_await earlier_answer(context, before, *adding));
      if (answer) co_return std::move(*answer);
    }
    Cart after = before.cart;
    CO_CHECK(edit(after));
    after.updatedAt = clock_.wall();
    CO_TRY(auto json, json_of(after));
    std::vector<KeyValueStore::Change> changes{store::replaced(before, json)};
    if (once) {
      changes.push_back(store::remembered(id, *adding->idempotency_key, {adding->request_hash, json.size() > max_replay ? std::string() : json}));
    }
    CO_TRY(const bool done, co_await store_.swap(context, std::move(changes)));
    if (done) co_return json;
    CO_CHECK(co_await come_back(attempt));
  }
}

Task<Result<store::Kept>> CartService::kept(const Context& context, const CartId& id, const Principal& caller) {
  CO_TRY(auto found, co_await store::find(store_, context, id, caller));
  if (!found || !open_to(found->cart, caller)) co_return no_cart();
  co_return std::move(*found);
}

Task<Result<std::optional<std::string>>> CartService::earlier_answer(const Context& context, const store::Kept& present, const Adding& adding) {
  CO_TRY(auto earlier, co_await store::replay(store_, context, present.cart.id, *adding.idempotency_key));
  if (!earlier) co_return std::optional<std::string>();
  if (earlier->request_hash != adding.request_hash) {
    co_return fail(Code::unprocessable, "This Idempotency-Key was used for another request.");
  }
  co_return earlier->answer.empty() ? present.json : std::move(earlier->answer);
}

Task<Result<CartItem>> CartService::line_for(const Context& context, const Adding& adding) {
  Context limited = context;
  limited.deadline = std::min(context.deadline, clock_.now() + settings_.catalogue_limit);
  const auto details = co_await catalogue_.variant(limited, adding.item.variantId);
  if (!details && away(details.error())) co_return line_as_requested(adding.item);
  if (!details) co_return Failure(details.error());

  std::optional<product::CurrencyRow> rate;
  if (adding.currency && *details && *adding.currency != (*details)->baseCurrency) {
    auto row = co_await catalogue_.rate(limited, *adding.currency);
    if (!row && away(row.error())) co_return line_as_requested(adding.item);
    if (!row && row.error().code == Code::not_found) co_return unknown_currency(*adding.currency);
    CO_TRY(rate, std::move(row));
  }
  co_return line_as_sold(adding.item, *details, rate, adding.language);
}

// Before the next attempt: a short pause of random length. unavailable when there were too many.
Task<Result<void>> CartService::come_back(int attempt) {
  if (attempt + 1 >= max_attempts) {
    co_return fail(busy("Too many changes of this cart at once."));
  }
  if (attempt > 0) co_await clock_.sleep(milliseconds(1 + static_cast<std::int64_t>(random_.below(5))));
  co_return Result<void>();
}

}  // namespace shop::cart

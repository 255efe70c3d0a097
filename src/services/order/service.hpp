// Use cases of orders (seed 7.2, with the mechanism of architecture.md, section 5).
//
// Placing: an order id is fixed (requests under one idempotency key agree on one), every line is reserved at product-service under that id,
// then order, items, event and the key's answer are written in one transaction. Each step may be repeated with the same id,
// so a second request under the same key simply walks the same way and ends at the same order.
// Orders that come at once are placed in one transaction, as long as nothing stands in the way of any of them.
// What a crash leaves is settled once and for all by order_outcomes: the first of PLACED and ABANDONED stands.
#pragma once

#include "base/principal.hpp"
#include "ports/random.hpp"
#include "runtime/batcher.hpp"
#include "runtime/idempotency.hpp"
#include "runtime/outbox.hpp"
#include "runtime/rate_limit.hpp"
#include "services/order/clients.hpp"
#include "services/order/store.hpp"

namespace shop::order {

struct Settings {
  bool allow_backdating = false;                           // ALLOW_ORDER_BACKDATING, for load tests
  Limit lookups{"guest-lookups", 120, seconds(60)};        // per address
};

// Who asks for one order: by token, by the order's own token, or both.
struct Asker {
  Principal caller;
  std::string guest_token;
  std::string language;
};

// What the request's types cannot say: a guest needs an e-mail, an order 1 to 100 lines.
std::vector<Fault> further_faults(const OrderRequest& request, bool guest);

class OrderService {
 public:
  OrderService(Settings settings, Database& database, Outbox& outbox, StockPeer stock, KeyValueStore& advice, Clock& clock, Random& random);

  struct Placing {
    OrderRequest request;
    Principal caller;
    std::optional<Currency> currency;
    std::string language;
    std::optional<std::string> idempotency_key;
    std::string request_hash;
  };
  Task<Result<std::string>> place(const Context& context, const Placing& placing);  // the Order as JSON

  Task<Result<OrderPage>> list(const Context& context, const OrderQuery& query, const std::string& language);
  Task<Result<OrderPage>> my_orders(const Context& context, const UserId& user, const PageQuery& query, const Reader& reader);
  Task<Result<Order>> order(const Context& context, const OrderId& id, const Asker& asker);
  Task<Result<Order>> guest_lookup(const Context& context, const GuestLookup& request, const std::string& language, const std::string& client);
  Task<Result<Order>> cancel(const Context& context, const OrderId& id, const Asker& asker);
  Task<Result<Order>> set_status(const Context& context, const OrderId& id, Status to, const Asker& asker);
  Task<Result<Verified>> verify_purchase(const Context& context, const UserId& user, const ProductId& product);

  // For the stock's sweeper: an order that has not been placed by now never will be.
  Task<Result<Settlement>> settle(const Context& context, const OrderId& id);
  Task<Result<Settlements>> settle_all(const Context& context, const SettleRequest& request);

  Task<Result<void>> keep_user(const Context& context, const store::UserCopy& user);
  Task<Result<void>> deactivate_user(const Context& context, const UserId& id, std::int64_t version);

  void abandon() { commits_.abandon(); }

 private:
  struct Ready {  // to be committed
    StoredOrder order;
    std::string answer;  // the Order as JSON
    std::optional<IdempotencyKey> key;
    std::string traceparent;
  };
  using Commits = Batcher<Ready, std::string>;

  Task<Result<std::string>> place_as(const Context& context, const Placing& placing, const OrderId& id,
                                     const std::optional<IdempotencyKey>& key);
  Result<StoredOrder> draft(const Placing& placing, const OrderId& id, const product::ReserveAnswer& quote);
  Task<Result<Commits::Answers>> commit(const Context& context, const Commits::Items& items);
  Task<Result<void>> commit_fresh_in(Transaction& tx, const Commits::Items& items);
  Task<Result<std::string>> commit_in(Transaction& tx, const Ready& ready);
  Task<Result<void>> give_up(const Context& context, const OrderId& id);
  Task<Result<std::string>> give_up_in(Transaction& tx, const OrderId& id);
  Task<Result<Settlement>> settle_in(Transaction& tx, const OrderId& id);
  Task<Result<Settlements>> settle_all_in(Transaction& tx, std::vector<OrderId> ids);
  Task<Result<StoredOrder>> change_in(Transaction& tx, const OrderId& id, Status to);
  Task<Result<StoredOrder>> change(const Context& context, const OrderId& id, Status to);
  Task<Result<StoredOrder>> load(const Context& context, const OrderId& id);
  Task<Result<void>> publish(Transaction& tx, std::string type, const StoredOrder& order);

  const Settings settings_;
  Database& database_;
  Outbox& outbox_;
  const StockPeer stock_;
  RateLimiter limiter_;
  Rendezvous rendezvous_;
  Clock& clock_;
  Random& random_;
  Commits commits_;
};

}  // namespace shop::order

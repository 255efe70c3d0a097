// The only SQL of order-service.
#pragma once

#include "ports/database.hpp"
#include "runtime/migrations.hpp"
#include "services/order/domain.hpp"

namespace shop::order::store {

extern const std::span<const Migration> migrations;

Task<Result<void>> insert_orders(Transaction& tx, const std::vector<const StoredOrder*>& orders);
Task<Result<std::optional<StoredOrder>>> order(Transaction& tx, const OrderId& id);

// False when the order is no longer in `from`.
Task<Result<bool>> change_status(Transaction& tx, const OrderId& id, Status from, Status to, Instant now);

// Inserts the outcome unless there is one; the outcome that stands.
Task<Result<std::string>> decide(Transaction& tx, const OrderId& id, const std::string& outcome, Instant now);
Task<Result<void>> place(Transaction& tx, const std::vector<OrderId>& ids, Instant now);  // the same for several; conflict UNIQUE: one is decided
inline const std::string placed = "PLACED", abandoned = "ABANDONED";

struct OrderList {
  std::int64_t total = 0;
  std::vector<StoredOrder> orders;
};
Task<Result<OrderList>> list(Transaction& tx, const OrderQuery& query);
Task<Result<OrderList>> list_of_user(Transaction& tx, const UserId& user, const PageQuery& query);

Task<Result<bool>> delivered(Transaction& tx, const UserId& user, const ProductId& product);

struct UserCopy {
  UserId id;
  std::string name, email;
  std::optional<std::string> profile_image;
  bool is_active = true;
  std::int64_t version = 0;
};
Task<Result<void>> put_user(Transaction& tx, const UserCopy& user);  // unless a newer version is there
Task<Result<void>> deactivate_user(Transaction& tx, const UserId& id, std::int64_t version);

}  // namespace shop::order::store

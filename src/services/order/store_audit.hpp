// What `shopctl doctor` reads of order-service's store. Nothing is changed; reading goes in pages.
#pragma once

#include "ports/database.hpp"
#include "services/order/domain.hpp"

namespace shop::order::store {

struct AuditedItem {
  std::string variant_id;
  std::int64_t quantity = 0, price = 0;
};

struct AuditedOrder {
  std::string id;
  Status status = Status::PENDING;
  std::int64_t total_minor = 0, display_total_minor = 0;
  Currency base_currency, display_currency;
  Rate rate;
  std::optional<std::string> outcome;
  std::vector<AuditedItem> items;
};

Task<Result<std::vector<std::string>>> order_ids_after(Transaction& tx, const std::string& after, std::int64_t limit);
Task<Result<std::map<std::string, AuditedOrder>>> orders_between(Transaction& tx, const std::string& after, const std::string& last);

// Orders that somebody was told of and that are not there: decided as placed, or the answer kept under an idempotency key.
struct MissingOrder {
  std::string id, told_by;
};
BOOST_DESCRIBE_STRUCT(MissingOrder, (), (id, told_by))
Task<Result<std::vector<MissingOrder>>> missing_orders(Transaction& tx, std::int64_t limit);

// Keys whose answer names another order than theirs, and orders that two keys share.
struct KeyFault {
  std::string caller, key, resource, why;
};
BOOST_DESCRIBE_STRUCT(KeyFault, (), (caller, key, resource, why))
Task<Result<std::vector<KeyFault>>> key_faults(Transaction& tx, std::int64_t limit);

struct CopiedUser {
  std::string id, name, email;
  std::optional<std::string> profile_image;
  bool is_active = true;
  std::int64_t version = 0;

  friend bool operator==(const CopiedUser&, const CopiedUser&) = default;
};
BOOST_DESCRIBE_STRUCT(CopiedUser, (), (id, name, email, profile_image, is_active, version))
Task<Result<std::vector<CopiedUser>>> copied_users_after(Transaction& tx, const std::string& after, std::int64_t limit);

// Orders whose events wait in the outbox.
Task<Result<std::vector<std::string>>> orders_to_be_told(Transaction& tx);

Task<Result<bool>> order_exists(Transaction& tx, const std::string& id);
Task<Result<std::int64_t>> order_count(Transaction& tx);

}  // namespace shop::order::store

// An order as a value: its states, its totals, and what each reader may see of it.
#pragma once

#include "services/order/api.hpp"

namespace shop::order {

struct OrderRow {
  OrderId id;
  std::optional<UserId> user_id;
  std::optional<std::string> guest_email, guest_name;
  std::string customer_name;
  std::optional<std::string> customer_email, customer_avatar;
  std::string phone;
  Status status = Status::PENDING;
  PaymentMethod payment_method = PaymentMethod::CASH_ON_DELIVERY;
  std::optional<boost::json::object> shipping_address;
  std::optional<std::string> payment_transaction_id, payment_failure_reason;
  std::string guest_token;
  std::int64_t total_minor = 0;
  Currency base_currency, display_currency;
  Rate rate;
  std::int64_t display_total_minor = 0;
  std::int64_t version = 1;
  Instant created_at, updated_at;
};
BOOST_DESCRIBE_STRUCT(OrderRow, (), (id, user_id, guest_email, guest_name, customer_name, customer_email, customer_avatar, phone, status,
                                     payment_method, shipping_address, payment_transaction_id, payment_failure_reason, guest_token,
                                     total_minor, base_currency, display_currency, rate, display_total_minor, version, created_at,
                                     updated_at))

struct ItemRow {
  OrderItemId id;
  OrderId order_id;
  std::int64_t position = 0;
  ProductId product_id;
  VariantId variant_id;
  Texts product_name;
  std::map<std::string, std::string> variant_attributes;
  std::string sku;
  std::optional<std::string> image_url;
  Price price;
  std::optional<Price> cost_price;
  std::int64_t quantity = 0;
};
BOOST_DESCRIBE_STRUCT(ItemRow, (), (id, order_id, position, product_id, variant_id, product_name, variant_attributes, sku, image_url,
                                    price, cost_price, quantity))

struct StoredOrder {
  OrderRow row;
  std::vector<ItemRow> items;
};

// Contract, section 8, "States".
bool may_become(Status from, Status to);
bool cancellable(Status status);
bool returns_stock(Status status);  // CANCELLED, FAILED

// What a reader may see beside the order itself.
struct Reader {
  std::string language;
  bool costs = false;  // read:order
  bool token = false;  // creator, owner, holder of the order token
};

Order order_for(const StoredOrder& stored, const Reader& reader);

// `street` and `fullName` are filled in when missing: the dashboard shows them.
boost::json::object completed_address(boost::json::object address);

// Sum of price x quantity, and the same in the display currency. invalid when an amount is too large.
Result<void> add_totals(OrderRow& row, const std::vector<ItemRow>& items);

}  // namespace shop::order

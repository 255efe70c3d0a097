// What order-service says on the wire (contract, section 8), and its events (section 13).
#pragma once

#include "codec/forms.hpp"
#include "codec/query_reader.hpp"

namespace shop::order {

using codec::Bounded;

enum class Status { PENDING, PAID, SHIPPED, DELIVERED, FAILED, CANCELLED };
BOOST_DESCRIBE_ENUM(Status, PENDING, PAID, SHIPPED, DELIVERED, FAILED, CANCELLED)

enum class PaymentMethod { CREDIT_CARD, CASH_ON_DELIVERY };
BOOST_DESCRIBE_ENUM(PaymentMethod, CREDIT_CARD, CASH_ON_DELIVERY)

struct OrderLine {
  VariantId variantId;
  Bounded<1, 1000> quantity;
};
BOOST_DESCRIBE_STRUCT(OrderLine, (), (variantId, quantity))

struct OrderRequest {
  std::optional<Text<0, 1000>> guestName, guestEmail;  // ignored with a token; without, the e-mail is needed
  Text<1, 50> phone;
  PaymentMethod paymentMethod = PaymentMethod::CASH_ON_DELIVERY;
  std::optional<boost::json::object> shippingAddress;
  std::vector<OrderLine> items;           // 1 to 100
  boost::json::value overrideCreatedAt;   // only with ALLOW_ORDER_BACKDATING
};
BOOST_DESCRIBE_STRUCT(OrderRequest, (), (guestName, guestEmail, phone, paymentMethod, shippingAddress, items, overrideCreatedAt))

struct OrderItem {
  OrderItemId id;
  OrderId orderId;
  ProductId productId;
  VariantId variantId;
  std::string productName;
  std::map<std::string, std::string> variantAttributes;
  std::string sku;
  std::optional<std::string> imageUrl;
  Price priceAtTimeOfOrder;
  std::optional<Price> costPriceAtTimeOfOrder;  // only for read:order
  std::int64_t quantity = 0;
};
BOOST_DESCRIBE_STRUCT(OrderItem, (), (id, orderId, productId, variantId, productName, variantAttributes, sku, imageUrl,
                                      priceAtTimeOfOrder, costPriceAtTimeOfOrder, quantity))

struct Order {
  OrderId id;
  std::optional<UserId> userId;
  std::optional<std::string> guestEmail, guestName;
  std::string phone;
  Status status = Status::PENDING;
  PaymentMethod paymentMethod = PaymentMethod::CASH_ON_DELIVERY;
  std::optional<boost::json::object> shippingAddress;
  Instant createdAt, updatedAt;
  std::optional<std::string> paymentTransactionId, paymentFailureReason;
  std::optional<std::string> guest_token;  // for the creator, the holder of it, and the owner
  Money totalAmount;
  Currency displayCurrency;
  Rate exchangeRateAtPurchase;
  Money displayTotalAmount;
  std::vector<OrderItem> items;
  std::vector<boost::json::object> returnRequests;
  bool isCancellable = false, isReturnable = false;
  std::string customerName;
  std::optional<std::string> customerEmail, customerAvatar;
};
BOOST_DESCRIBE_STRUCT(Order, (), (id, userId, guestEmail, guestName, phone, status, paymentMethod, shippingAddress, createdAt, updatedAt,
                                  paymentTransactionId, paymentFailureReason, guest_token, totalAmount, displayCurrency,
                                  exchangeRateAtPurchase, displayTotalAmount, items, returnRequests, isCancellable, isReturnable,
                                  customerName, customerEmail, customerAvatar))

struct OrderPage {
  std::vector<Order> data;
  codec::Pagination pagination;
};
BOOST_DESCRIBE_STRUCT(OrderPage, (), (data, pagination))

enum class OrderSort { createdAt, totalAmount, updatedAt, status };
BOOST_DESCRIBE_ENUM(OrderSort, createdAt, totalAmount, updatedAt, status)

enum class SortOrder { asc, desc };
BOOST_DESCRIBE_ENUM(SortOrder, asc, desc)

struct OrderQuery {
  codec::PageNumber page;
  codec::PageLimit<10> limit;
  std::optional<Status> status;
  std::optional<PaymentMethod> paymentMethod;
  std::optional<Text<0, 200>> search;  // order id, name, e-mail or phone
  std::optional<OrderSort> sortBy;
  std::optional<SortOrder> sortOrder;
};
BOOST_DESCRIBE_STRUCT(OrderQuery, (), (page, limit, status, paymentMethod, search, sortBy, sortOrder))

struct PageQuery {
  codec::PageNumber page;
  codec::PageLimit<10> limit;
};
BOOST_DESCRIBE_STRUCT(PageQuery, (), (page, limit))

struct TokenQuery {
  std::optional<Text<0, 200>> guest_token;
};
BOOST_DESCRIBE_STRUCT(TokenQuery, (), (guest_token))

struct GuestLookup {
  OrderId orderId;
  std::optional<Text<0, 200>> token;
  std::optional<Text<0, 254>> email;
};
BOOST_DESCRIBE_STRUCT(GuestLookup, (), (orderId, token, email))

struct StatusRequest {
  Status status = Status::PENDING;
};
BOOST_DESCRIBE_STRUCT(StatusRequest, (), (status))

struct PurchaseQuery {
  std::optional<UserId> userId;
  std::optional<ProductId> productId;
};
BOOST_DESCRIBE_STRUCT(PurchaseQuery, (), (userId, productId))

struct Verified {
  bool verified = false;
};
BOOST_DESCRIBE_STRUCT(Verified, (), (verified))

// What became of a reservation's order. ABANDONED is final: an order of that id can no longer be placed.
enum class Outcome { PLACED, CANCELLED, ABANDONED };
BOOST_DESCRIBE_ENUM(Outcome, PLACED, CANCELLED, ABANDONED)

struct Settlement {
  OrderId orderId;
  Outcome outcome = Outcome::ABANDONED;
};
BOOST_DESCRIBE_STRUCT(Settlement, (), (orderId, outcome))

struct SettleRequest {
  std::vector<OrderId> orderIds;  // 1 to 500
};
BOOST_DESCRIBE_STRUCT(SettleRequest, (), (orderIds))

struct Settlements {
  std::vector<Settlement> settlements;  // in the order asked for
};
BOOST_DESCRIBE_STRUCT(Settlements, (), (settlements))

// Events on order_events, key = order. ORDER_CREATED, ORDER_CANCELLED, ORDER_PAID carry the Order.
struct FailedEvent {
  OrderId orderId;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(FailedEvent, (), (orderId, reason))

struct StatusChangedEvent {
  OrderId id;
  Status from = Status::PENDING, to = Status::PENDING;
};
BOOST_DESCRIBE_STRUCT(StatusChangedEvent, (), (id, from, to))

}  // namespace shop::order

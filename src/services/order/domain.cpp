#include "services/order/domain.hpp"

namespace shop::order {
namespace {

std::string text_at(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string(*text) : std::string();
}

bool lacks(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return !value || value->is_null();
}

}  // namespace

bool may_become(Status from, Status to) {
  using enum Status;
  switch (from) {
    case PENDING: return to == PAID || to == FAILED || to == CANCELLED || to == SHIPPED || to == DELIVERED;
    case PAID: return to == SHIPPED || to == DELIVERED || to == CANCELLED;
    case SHIPPED: return to == DELIVERED;
    case DELIVERED:
    case FAILED:
    case CANCELLED: return false;
  }
  return false;
}

bool cancellable(Status status) { return status == Status::PENDING || status == Status::PAID; }

bool returns_stock(Status status) { return status == Status::CANCELLED || status == Status::FAILED; }

boost::json::object completed_address(boost::json::object address) {
  if (lacks(address, "street") && !lacks(address, "address")) address["street"] = text_at(address, "address");
  if (lacks(address, "fullName")) {
    const std::string both = text_at(address, "firstName") + " " + text_at(address, "lastName");
    if (!trimmed(both).empty()) address["fullName"] = std::string(trimmed(both));
  }
  return address;
}

Order order_for(const StoredOrder& stored, const Reader& reader) {
  const auto& row = stored.row;
  Order order;
  order.id = row.id;
  order.userId = row.user_id;
  order.guestEmail = row.guest_email;
  order.guestName = row.guest_name;
  order.phone = row.phone;
  order.status = row.status;
  order.paymentMethod = row.payment_method;
  order.shippingAddress = row.shipping_address;
  order.createdAt = row.created_at;
  order.updatedAt = row.updated_at;
  order.paymentTransactionId = row.payment_transaction_id;
  order.paymentFailureReason = row.payment_failure_reason;
  if (reader.token) order.guest_token = row.guest_token;
  order.totalAmount = {row.total_minor, row.base_currency};
  order.displayCurrency = row.display_currency;
  order.exchangeRateAtPurchase = row.rate;
  order.displayTotalAmount = {row.display_total_minor, row.display_currency};
  for (const auto& item : stored.items) {
    order.items.push_back({item.id, item.order_id, item.product_id, item.variant_id, std::string(localised(item.product_name, reader.language)),
                           item.variant_attributes, item.sku, item.image_url, item.price, reader.costs ? item.cost_price : std::nullopt,
                           item.quantity});
  }
  order.isCancellable = cancellable(row.status);
  order.isReturnable = row.status == Status::DELIVERED;
  order.customerName = row.customer_name;
  order.customerEmail = row.customer_email;
  order.customerAvatar = row.customer_avatar;
  return order;
}

Result<void> add_totals(OrderRow& row, const std::vector<ItemRow>& items) {
  Money total{0, row.base_currency};
  for (const auto& item : items) {
    TRY(const Money line, times({item.price.minor, row.base_currency}, item.quantity));
    TRY(total, add(total, line));
  }
  TRY(const Money shown, convert(total, row.rate, row.display_currency));
  row.total_minor = total.minor;
  row.display_total_minor = shown.minor;
  return {};
}

}  // namespace shop::order

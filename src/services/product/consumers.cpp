#include "services/product/module.hpp"

namespace shop::product {
namespace {

struct ReviewPayload {
  ProductId productId;
  boost::json::value averageRating;
  std::int64_t reviewCount = 0;
};
BOOST_DESCRIBE_STRUCT(ReviewPayload, (), (productId, averageRating, reviewCount))

struct OrderPayload {
  OrderId id;
};
BOOST_DESCRIBE_STRUCT(OrderPayload, (), (id))

struct FailedPayload {
  OrderId orderId;
};
BOOST_DESCRIBE_STRUCT(FailedPayload, (), (orderId))

Task<Result<void>> rate_in(Transaction& tx, const Tools& tools, const EventId& event, const ReviewPayload& review) {
  const auto now = tools.clock.wall();
  CO_TRY(const bool first, co_await first_time(tx, event, now));
  if (!first) co_return Result<void>();
  boost::json::error_code error;
  const double average = review.averageRating.to_number<double>(error);
  if (error || average < 0 || average > 5) co_return fail(codec::faulty({{"averageRating", "must be a number from 0 to 5"}}));
  CO_CHECK(co_await store::set_rating(tx, review.productId, std::llround(average * 100), review.reviewCount, now));
  const std::vector<ProductId> changed{review.productId};
  co_return co_await announce(tools, tx, changed);
}

}  // namespace

Task<Result<void>> ProductModule::handle(const Context& context, const std::vector<ReceivedEvent>& events) {
  // Confirmed first, all at once: a confirmation has no effect on what is released already, and a release takes what is confirmed.
  std::vector<OrderId> created;
  for (const auto& event : events) {
    if (event.type != "ORDER_CREATED") continue;
    CO_TRY(const auto order, codec::from_value<OrderPayload>(event.payload));
    created.push_back(order.id);
  }
  if (!created.empty()) CO_CHECK(co_await stock_.confirm(context, created));
  for (const auto& event : events) {
    if (event.type == "ORDER_CANCELLED") {
      CO_TRY(const auto order, codec::from_value<OrderPayload>(event.payload));
      CO_CHECK(co_await stock_.release(context, order.id, "Order cancelled"));
    } else if (event.type == "ORDER_FAILED") {
      CO_TRY(const auto order, codec::from_value<FailedPayload>(event.payload));
      CO_CHECK(co_await stock_.release(context, order.orderId, "Order failed"));
    } else if (event.type == "REVIEW_UPDATED") {
      CO_TRY(const auto review, codec::from_value<ReviewPayload>(event.payload));
      CO_CHECK(co_await write(tools_.database, context, rate_in, tools_, event.eventId, review));
    }
  }
  co_return Result<void>();
}

}  // namespace shop::product

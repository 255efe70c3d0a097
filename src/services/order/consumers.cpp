#include "services/auth/api.hpp"
#include "services/order/module.hpp"

namespace shop::order {

// The copies keep the version of the event that made them: older and doubled ones have no effect.
Task<Result<void>> OrderModule::handle(const Context& context, const std::vector<ReceivedEvent>& events) {
  for (const auto& event : events) {
    if (event.type == "USER_CREATED" || event.type == "USER_UPDATED") {
      CO_TRY(const auto user, codec::from_value<auth::UserEvent>(event.payload));
      CO_CHECK(co_await service_.keep_user(context, {user.id, user.name, user.email, user.profileImage, user.isActive, event.version}));
    } else if (event.type == "USER_DELETED") {
      CO_TRY(const auto user, codec::from_value<auth::DeletedEvent>(event.payload));
      CO_CHECK(co_await service_.deactivate_user(context, user.id, event.version));
    }
  }
  co_return Result<void>();
}

}  // namespace shop::order

// UUIDs (RFC 9562) and strong ids: a ProductId is no VariantId.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

namespace shop {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  // Any version; hexadecimal in either case; the five-group form only.
  static std::expected<Uuid, std::string> parse(std::string_view text);
  std::string text() const;

  static constexpr std::string_view schema_format = "uuid";

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

template <class Tag>
struct Id {
  Uuid uuid;

  static std::expected<Id, std::string> parse(std::string_view text) {
    auto uuid = Uuid::parse(text);
    if (!uuid) return std::unexpected(uuid.error());
    return Id{*uuid};
  }
  std::string text() const { return uuid.text(); }

  static constexpr std::string_view schema_format = "uuid";

  friend auto operator<=>(const Id&, const Id&) = default;
};

using UserId = Id<struct UserTag>;
using RoleId = Id<struct RoleTag>;
using PermissionId = Id<struct PermissionTag>;
using ProductId = Id<struct ProductTag>;
using VariantId = Id<struct VariantTag>;
using CategoryId = Id<struct CategoryTag>;
using ImageId = Id<struct ImageTag>;
using MovementId = Id<struct MovementTag>;
using PromotionId = Id<struct PromotionTag>;
using CartId = Id<struct CartTag>;
using CartItemId = Id<struct CartItemTag>;
using OrderId = Id<struct OrderTag>;
using OrderItemId = Id<struct OrderItemTag>;
using EventId = Id<struct EventTag>;

}  // namespace shop

template <>
struct std::hash<shop::Uuid> {
  std::size_t operator()(const shop::Uuid& id) const noexcept {
    std::uint64_t high, low;
    std::memcpy(&high, id.bytes.data(), 8);
    std::memcpy(&low, id.bytes.data() + 8, 8);
    return high ^ (low * 0x9E3779B97F4A7C15ULL);
  }
};

template <class Tag>
struct std::hash<shop::Id<Tag>> {
  std::size_t operator()(const shop::Id<Tag>& id) const noexcept { return std::hash<shop::Uuid>()(id.uuid); }
};

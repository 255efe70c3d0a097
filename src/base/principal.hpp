// Who is asking.
#pragma once

#include <optional>
#include <string>

#include "base/id.hpp"
#include "base/permission.hpp"

namespace shop {

struct Principal {
  enum class Kind { anonymous, user, service };

  Kind kind = Kind::anonymous;
  UserId id;
  std::string name;
  std::string email;
  std::optional<std::string> profile_image;
  std::string role;
  Permissions permissions;
  std::string service;  // Kind::service: which one

  bool anonymous() const { return kind == Kind::anonymous; }
  bool user() const { return kind == Kind::user; }
  bool internal() const { return kind == Kind::service; }
  bool may(Permission p) const { return internal() || holds(permissions, p); }
  bool is(const std::optional<UserId>& other) const { return user() && other == id; }
};

}  // namespace shop

// Versioned schema changes, each run once, under the store's own lock: several replicas may start at the same time.
#pragma once

#include <span>
#include <string_view>

#include "ports/database.hpp"

namespace shop {

struct Migration {
  int version;  // 1, 2, 3 ...
  std::string_view name;
  std::string_view sql;  // statements end with ";" at the end of a line; @SERIAL@ is a key that the store counts up
};

// Errors: conflict when the store is newer than this program ("…is at version 7, this program knows 5").
Task<Result<void>> migrate(Database& database, const Context& context, std::string_view service,
                           std::span<const Migration> migrations);

}  // namespace shop

// Keys in a table of a relational store: the carts of a shop in one process. Survives a restart.
#pragma once

#include "ports/clock.hpp"
#include "ports/database.hpp"
#include "ports/key_value.hpp"

namespace shop {

class SqlKeyValue final : public KeyValueStore {
 public:
  SqlKeyValue(Database& database, Clock& clock) : database_(database), clock_(clock) {}

  // Creates the table; before anything else.
  Task<Result<void>> prepare(const Context& context);

  // Deletes what has expired, at most 1 000 at a time; true when there may be more.
  Task<Result<bool>> sweep(const Context& context);

  Task<Result<std::vector<std::optional<std::string>>>> get(const Context& context, std::vector<std::string> keys,
                                                            seconds refresh) override;
  Task<Result<bool>> swap(const Context& context, std::vector<Change> changes) override;
  Task<Result<std::int64_t>> increment(const Context& context, std::string key, seconds ttl) override;
  Task<Result<void>> ping(const Context& context) override;

 private:
  Database& database_;
  Clock& clock_;
};

}  // namespace shop

// The event log of a shop in one process: an append-only table, numbered in commit order by the store's single writer, and
// each group's position. For stores with one writer (SQLite): elsewhere numbers may commit out of order.
#pragma once

#include <mutex>
#include <vector>

#include "ports/clock.hpp"
#include "ports/database.hpp"
#include "ports/event_log.hpp"

namespace shop {

class SqlEventLog final : public EventLog {
 public:
  SqlEventLog(Database& database, Clock& clock) : database_(database), clock_(clock) {}

  Task<Result<void>> prepare(const Context& context);

  // Deletes at most 1 000 events older than `age` that every group has passed; true when there may be more.
  Task<Result<bool>> trim(const Context& context, hours age);

  Task<Result<void>> publish(const Context& context, std::vector<EventRecord> records) override;

  // One member a group: there is one process.
  std::unique_ptr<Subscription> subscribe(std::string group, std::vector<std::string> topics) override;

  Task<Result<std::vector<DeliveredEvent>>> history(const Context& context, std::vector<std::string> topics, std::size_t most) override;

  Task<Result<void>> ping(const Context& context) override;

 private:
  class Reader;

  Database& database_;
  Clock& clock_;
  std::mutex mutex_;
  std::vector<Reader*> readers_;
};

}  // namespace shop

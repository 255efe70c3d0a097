// A log of events in topics: ordered per key, kept, read by groups at their own pace. At least once.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/context.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

namespace shop {

// For so long a log has at least what every group has passed: Kafka by default (log.retention.hours), and so our own.
constexpr hours events_kept{7 * 24};

struct EventRecord {
  std::string topic;
  std::string key;  // records of one key keep their order
  std::string value;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct DeliveredEvent {
  EventRecord record;
  int partition = 0;
  std::int64_t offset = 0;
};

// One member of a consumer group. Partitions are shared out among the members.
class Subscription {
 public:
  virtual ~Subscription() = default;

  // At most `max`, after waiting at most `wait` for the first. Empty when there was none.
  virtual Task<Result<std::vector<DeliveredEvent>>> fetch(std::size_t max, milliseconds wait) = 0;

  // Everything of that partition up to and including `event` is done.
  virtual Task<Result<void>> commit(const DeliveredEvent& event) = 0;

  // How many records of its partitions are not yet committed; -1 when unknown.
  virtual std::int64_t lag() const = 0;
};

class EventLog {
 public:
  virtual ~EventLog() = default;

  // Durable when it returns; on an error some of the records may have been kept.
  virtual Task<Result<void>> publish(const Context& context, std::vector<EventRecord> records) = 0;

  virtual std::unique_ptr<Subscription> subscribe(std::string group, std::vector<std::string> topics) = 0;

  // Everything that these topics hold now, in order within each partition; of a topic that is not there, nothing. Leaves no position and
  // makes no topic. timed_out when the deadline comes first, too_large when there are more than `most`.
  virtual Task<Result<std::vector<DeliveredEvent>>> history(const Context& context, std::vector<std::string> topics, std::size_t most) = 0;

  virtual Task<Result<void>> ping(const Context& context) = 0;
};

}  // namespace shop

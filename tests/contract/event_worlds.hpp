// The event logs, each as a suite meets it.
#pragma once

#include "adapters/kafka/kafka.hpp"
#include "adapters/sql_log/sql_log.hpp"
#include "adapters/sqlite/database.hpp"
#include "contract/support.hpp"
#include "ports/event_log.hpp"

namespace shop::contract {

class SqlLogWorld {
 public:
  SqlLogWorld() : database_(sqlite::open({.path = folder_.file("events.db")}, stage().clock)), log_(*database_, stage().clock) {
    if (const auto made = await(log_.prepare(Context())); !made) throw std::runtime_error(why(made));
  }
  EventLog& log() { return log_; }

  static constexpr int partitions = 1;

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Database> database_;
  SqlEventLog log_;
};

class KafkaWorld {
 public:
  KafkaWorld() : log_(open(required("SHOP_TEST_KAFKA").text())) {}
  EventLog& log() { return *log_; }

  static std::unique_ptr<EventLog> open(const std::string& brokers, milliseconds delivery_limit = milliseconds(10'000)) {
    stage();
    return open_kafka({.brokers = brokers, .partitions = partitions, .delivery_limit = delivery_limit}, stage().clock);
  }

  static constexpr int partitions = 6;

 private:
  std::unique_ptr<EventLog> log_;
};

}  // namespace shop::contract

// Dead letters: events that a consumer gave up, kept in "<service>_dlq" with their cause (runtime/consumer). Listed, and sent again
// to the topic they came from. What was sent again is remembered in the same topic, by a record that names the letter.
#pragma once

#include <string>
#include <vector>

#include <boost/describe.hpp>

#include "ports/event_log.hpp"

namespace shop {

inline const std::vector<std::string> consuming_services{"order-service", "product-service", "search-service"};

std::string dead_letter_topic(std::string service);  // "search-service" -> "search_service_dlq"

struct DeadLetter {
  std::string id;  // "search-service:0:17": service, partition and offset in its dead letters
  std::string cause, code, attempts, group, time;
  std::string topic, partition, offset, key, value;  // of the event as it was delivered
  bool replayed = false;
};
BOOST_DESCRIBE_STRUCT(DeadLetter, (), (id, cause, code, attempts, group, time, topic, partition, offset, key, value, replayed))

class DeadLetters {
 public:
  DeadLetters(EventLog& log, std::vector<std::string> services) : log_(log), services_(std::move(services)) {}

  // All that there are now, oldest first for each service. timed_out: the deadline came first.
  Task<Result<std::vector<DeadLetter>>> list(const Context& context);

  // To its own topic with its own key; consumers that have had its effect ignore it. conflict: sent again before, and not `again`.
  Task<Result<void>> replay(const Context& context, const DeadLetter& letter, bool again);

 private:
  struct Kept {
    DeadLetter letter;
    EventRecord record;
  };

  EventLog& log_;
  const std::vector<std::string> services_;
  std::vector<Kept> kept_;  // of the last list()
};

}  // namespace shop

// The event log on Kafka, through librdkafka: idempotent producer with acks=all, offsets committed by hand after the effect.
#pragma once

#include <memory>
#include <string>

#include "ports/clock.hpp"
#include "ports/event_log.hpp"

namespace shop {

struct KafkaOptions {
  std::string brokers;          // "host:port,host:port"
  std::string client_id = "shop";
  int partitions = 6;           // of topics that have to be made
  int replication = 1;
  milliseconds delivery_limit{10'000};
};

// Connects when it is first used, and again by itself. Topics are made when they are missing. Calls of the library that wait
// have threads of their own, so that a broker that is away holds up nobody else.
std::unique_ptr<EventLog> open_kafka(KafkaOptions options, Clock& clock);

}  // namespace shop

// Keys in Redis 7 over one pipelined connection: carts, the shared token cache, limits.
//
// Several keys change by one script, which Redis runs alone: all of them or none. Redis Cluster would need the keys of one
// swap in one slot; one server (with replicas) is what this adapter is for. What was acknowledged within the last second may
// be lost when Redis dies (appendfsync everysec): see docs/run-book.md.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "ports/clock.hpp"
#include "ports/key_value.hpp"

namespace shop {

struct RedisOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string password;
  std::size_t pending_max = 4096;       // commands under way; one more is refused as unavailable
  milliseconds reply_limit{1000};       // a server that is silent for longer is given up and connected to anew
};

// Connects when it is first used, and again by itself. The connection lives on `loop`.
std::unique_ptr<KeyValueStore> open_redis(RedisOptions options, boost::asio::io_context& loop, Clock& clock);

}  // namespace shop

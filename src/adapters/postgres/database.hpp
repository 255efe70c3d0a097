// Database on PostgreSQL 15: a bounded pool of pipelined connections.
//
// A writing work runs at READ COMMITTED in one transaction, which begins together with its first statement; a reading work
// sees one snapshot. A work that met a deadlock, or whose connection broke before the commit was sent, is run again, at most
// three times in all: nothing of it has happened. A commit whose answer is lost is unknown_outcome.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/worker_pool.hpp"
#include "ports/clock.hpp"
#include "ports/database.hpp"

namespace shop::postgres {

struct Options {
  std::string url;                // postgres://user:password@host:port/database
  std::size_t connections = 10;
  std::size_t queue = 1024;       // works that may wait for a connection; one more is refused as unavailable
};

// Whether libpq could read the address; nothing is asked of a server.
bool usable_address(const std::string& url);

// Connects when it is first used. The pool lives on `loop`; workers make the connections.
std::unique_ptr<Database> open(Options options, boost::asio::io_context& loop, WorkerPool& workers, Clock& clock);

}  // namespace shop::postgres

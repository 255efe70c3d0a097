// One PostgreSQL connection in libpq's pipeline mode (libpq 15, chapter 34.5): a batch of statements goes out at once and its
// results are read in order, one round trip a batch. Used on one I/O thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <libpq-fe.h>

#include "base/result.hpp"
#include "base/sql.hpp"
#include "base/task.hpp"
#include "base/time.hpp"
#include "base/worker_pool.hpp"

namespace shop::postgres {

struct Statement {
  std::string_view name;  // for errors
  std::string_view sql;
  Params params;
};

// Calls once when its time has come, and never after it was set anew or has ended: a handler that is already queued when the
// timer is cancelled finds its ticket gone.
class Limit {
 public:
  explicit Limit(boost::asio::io_context& loop) : timer_(loop) {}

  void at(Monotonic when, std::function<void()> expire);
  void never() { ticket_.reset(); }

 private:
  boost::asio::steady_timer timer_;
  std::shared_ptr<char> ticket_;
};

class Connection {
 public:
  // Names are resolved on a worker thread, which libpq does blocking; the rest is awaited. unavailable when it cannot, or
  // has not within 2 s.
  static Task<Result<std::unique_ptr<Connection>>> open(const Context& context, std::string url, boost::asio::io_context& loop,
                                                        WorkerPool& workers);
  ~Connection();

  // Waits of the following batches end at `deadline`; the server is told to cancel, and the connection is lost.
  void until(Monotonic deadline);

  // Results in order, up to the first error. After an error inside a transaction block the block can only be rolled back.
  Task<Result<std::vector<Rows>>> batch(std::vector<Statement> statements);

  bool usable() const { return usable_; }     // false after a lost connection or a missed deadline
  bool block_failed() const { return PQtransactionStatus(handle_.get()) == PQTRANS_INERROR; }  // only a rollback is left
  bool in_transaction() const { return PQtransactionStatus(handle_.get()) != PQTRANS_IDLE; }
  bool timed_out() const { return timed_out_; }

 private:
  struct Finish {
    void operator()(PGconn* c) const { PQfinish(c); }
  };
  using Handle = std::unique_ptr<PGconn, Finish>;
  struct Clear {
    void operator()(PGresult* r) const { PQclear(r); }
  };
  using ResultPtr = std::unique_ptr<PGresult, Clear>;

  Connection(Handle handle, boost::asio::io_context& loop, WorkerPool& workers);

  // A result that the server will send: of a statement, or of preparing one.
  struct Expected {
    std::string_view name;
    std::string prepares;  // the text; empty: the caller's statement
  };
  bool send(const Statement& statement, std::vector<Expected>& expected);
  Task<bool> flush();
  Task<ResultPtr> next_result();
  Task<> wait(boost::asio::posix::stream_descriptor::wait_type what);
  static Task<Result<void>> shake_hands(PGconn* handle, boost::asio::io_context& loop, Monotonic deadline);
  void expire();
  Failure lost();

  Handle handle_;
  WorkerPool& workers_;
  boost::asio::posix::stream_descriptor socket_;
  Limit limit_;
  std::shared_ptr<PGcancel> cancel_;
  std::unordered_map<std::string, std::string> prepared_;  // text -> name
  std::size_t names_given_ = 0;
  bool usable_ = true, timed_out_ = false;
};

}  // namespace shop::postgres

#include "adapters/sqlite/database.hpp"

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <sys/prctl.h>

#include "adapters/sqlite/connection.hpp"
#include "adapters/sqlite/gathering.hpp"
#include "base/await_callback.hpp"
#include "base/slice.hpp"

namespace shop::sqlite {
namespace {

namespace asio = boost::asio;

struct Job {
  const Context* context;  // of the caller, who waits
  Database::Work work;
  Callback<Result<void>> done;
};

// Jobs that wait for a worker thread; bounded.
class Queue {
 public:
  explicit Queue(std::size_t limit) : limit_(limit) {}

  bool push(Job& job) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || jobs_.size() >= limit_) return false;
      jobs_.push_back(std::move(job));
    }
    arrived_.notify_one();  // who wakes finds the lock free
    return true;
  }

  // At most `max`; none when `until` came first, nothing when the queue is closed and drained. Whoever takes is idle until there is
  // something.
  std::optional<std::vector<Job>> take(std::size_t max, Monotonic until = Monotonic::max()) {
    std::unique_lock lock(mutex_);
    const auto arrived = [&] { return closed_ || !jobs_.empty(); };
    ++idle_;
    if (until == Monotonic::max()) arrived_.wait(lock, arrived);
    else arrived_.wait_until(lock, until, arrived);
    --idle_;
    if (closed_ && jobs_.empty()) return std::nullopt;
    std::vector<Job> taken;
    while (!jobs_.empty() && taken.size() < max) {
      taken.push_back(std::move(jobs_.front()));
      jobs_.pop_front();
    }
    return taken;
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    arrived_.notify_all();
  }

  std::pair<std::size_t, std::size_t> waiting_and_idle() const {
    const std::lock_guard lock(mutex_);
    return {jobs_.size(), idle_};
  }

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::size_t idle_ = 0;
  std::condition_variable arrived_;
  std::deque<Job> jobs_;
  bool closed_ = false;
};

class SqliteTransaction final : public Transaction {
 public:
  SqliteTransaction(const Context& context, Connection& connection) : Transaction(context), connection_(connection) {}

  Task<Result<Rows>> run(const Query& query, Params params) override { co_return one(query, params); }

  Task<Result<std::vector<Rows>>> run_each(const Query& query, std::vector<Params> sets) override {
    std::vector<Rows> all;
    for (const auto& params : sets) {
      CO_TRY(all.emplace_back(), one(query, params));
    }
    co_return all;
  }

  Dialect dialect() const override { return Dialect::sqlite; }

  bool failed() const { return failed_; }
  std::vector<std::move_only_function<void()>> take_hooks() { return std::move(hooks_); }

 private:
  Result<Rows> one(const Query& query, const Params& params) {
    auto rows = connection_.run(query, params);
    failed_ = failed_ || !rows;
    return rows;
  }

  Connection& connection_;
  bool failed_ = false;
};

// A connection and the thread-bound loop in which works run. Nothing inside a transaction waits, so a work that has not
// ended when the loop is idle has awaited something else: a bug that would hold the writer for good.
class Worker {
 public:
  Worker(const Options& options, Connection::Mode mode, const std::string& vfs, const Clock& clock)
      : connection_(options.path, mode, vfs, options.checkpoint_pages), clock_(clock) {}

  void run_reads(std::vector<Job> jobs) {
    for (auto& job : jobs) {
      Result<void> outcome = expired(job);
      if (outcome) outcome = connection_.execute("BEGIN");
      if (outcome) {
        SqliteTransaction tx(*job.context, connection_);
        outcome = run(job.work, tx);
        (void)connection_.execute("COMMIT");
      }
      job.done(std::move(outcome));
    }
  }

  // What was committed is on the disk afterwards, as far as nobody reads an older state just then.
  void flush() { (void)connection_.execute("PRAGMA wal_checkpoint(PASSIVE)"); }

  void run_writes(std::vector<Job> jobs) {
    std::vector<Result<void>> outcomes(jobs.size());
    std::vector<std::move_only_function<void()>> hooks;
    while (!try_group(jobs, outcomes, hooks)) hooks.clear();
    for (auto& hook : hooks) hook();
    for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].done(std::move(outcomes[i]));
  }

 private:
  Result<void> expired(const Job& job) const {
    if (clock_.now() < job.context->deadline) return {};
    return fail(Code::timed_out, "The database had no time for the request.");
  }

  Result<void> run(Database::Work& work, SqliteTransaction& tx) {
    std::optional<Result<void>> outcome;
    asio::co_spawn(loop_, work(tx), [&](std::exception_ptr thrown, Result<void> result) {
      if (thrown) std::rethrow_exception(thrown);
      outcome = std::move(result);
    });
    loop_.restart();
    loop_.poll();
    if (!outcome) {
      std::fputs("A database transaction waited for something outside it.\n", stderr);
      std::abort();
    }
    if (*outcome && tx.failed()) {
      return fail(Code::internal, "Internal error.", "FAILED_STATEMENT", "a work went on after a statement had failed");
    }
    return std::move(*outcome);
  }

  // Runs every job that has not failed yet, and commits. False: SQLite gave up the whole transaction because of one job,
  // which is now marked failed; the others must run again.
  bool try_group(std::vector<Job>& jobs, std::vector<Result<void>>& outcomes, auto& hooks) {
    if (auto begun = connection_.execute("BEGIN IMMEDIATE"); !begun) {
      for (auto& outcome : outcomes) {
        if (outcome) outcome = begun;
      }
      return true;
    }
    const bool alone = jobs.size() == 1;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!outcomes[i]) continue;
      outcomes[i] = expired(jobs[i]);
      if (!outcomes[i]) continue;
      if (!alone) (void)connection_.execute("SAVEPOINT work");
      SqliteTransaction tx(*jobs[i].context, connection_);
      outcomes[i] = run(jobs[i].work, tx);
      if (!connection_.in_transaction()) {
        if (outcomes[i]) outcomes[i] = fail(Code::unavailable, "The database gave the transaction up.");
        return false;
      }
      if (!outcomes[i]) {
        (void)connection_.execute(alone ? "ROLLBACK" : "ROLLBACK TO work");
        if (alone) return true;
      } else {
        for (auto& hook : tx.take_hooks()) hooks.push_back(std::move(hook));
      }
      if (!alone) (void)connection_.execute("RELEASE work");
    }
    if (auto committed = connection_.execute("COMMIT"); !committed) {
      (void)connection_.execute("ROLLBACK");
      // The frames may already be in the log when the flush fails; only a full disk is known to have written nothing.
      const auto& cause = committed.error();
      const bool nothing_done = cause.name == "DISK_FULL";
      if (nothing_done) hooks.clear();
      for (auto& outcome : outcomes) {
        if (!outcome) continue;
        outcome = nothing_done ? committed : fail(Code::unknown_outcome, "The commit's outcome is not known.", {}, cause.detail);
      }
    }
    return true;
  }

  Connection connection_;
  const Clock& clock_;
  asio::io_context loop_{1};
};

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(Options options, const Clock& clock)
      : options_(std::move(options)), gathering_(options_.vfs), write_queue_(options_.queue), read_queue_(options_.queue) {
    using Mode = Connection::Mode;
    writer_ = std::make_unique<Worker>(options_, options_.durable ? Mode::writer : Mode::volatile_writer, gathering_.name(), clock);
    const std::size_t readers = options_.threads ? options_.readers : 1;
    for (std::size_t i = 0; i < readers; ++i) {
      readers_.push_back(std::make_unique<Worker>(options_, Mode::reader, options_.vfs, clock));
    }
    if (!options_.threads) return;
    threads_.emplace_back([this] {
      ::prctl(PR_SET_NAME, "sqlite-write");
      write_until_closed();
    });
    for (auto& reader : readers_) {
      threads_.emplace_back([this, worker = reader.get()] {
        ::prctl(PR_SET_NAME, "sqlite-read");
        ask_for_long_turns();
        while (auto jobs = read_queue_.take(1)) worker->run_reads(std::move(*jobs));
      });
    }
  }

  ~SqliteDatabase() override {
    write_queue_.close();
    read_queue_.close();
    for (auto& thread : threads_) thread.join();
  }

  Task<Result<void>> run(const Context& context, shop::Access access, Work work) override {
    co_return co_await await_callback<Result<void>>([&](Callback<Result<void>> done) {
      submit(access, Job{&context, std::move(work), std::move(done)});
    });
  }

  Task<Result<void>> ping(const Context& context) override {
    static constexpr Query alive{"ping", "SELECT 1"};
    co_return co_await run(context, shop::Access::read, [](Transaction& tx) { return ignore(tx.run(alive, {})); });
  }

  PoolState pool() const override {
    const auto [writes, idle_writers] = write_queue_.waiting_and_idle();
    const auto [reads, idle_readers] = read_queue_.waiting_and_idle();
    const auto open = 1 + readers_.size();
    return {.open = open, .busy = open - std::min(open, idle_writers + idle_readers), .waiting = writes + reads};
  }

 private:
  static Task<Result<void>> ignore(Task<Result<Rows>> rows) {
    CO_CHECK(co_await std::move(rows));
    co_return Result<void>();
  }

  // Commits that are not flushed one by one are flushed together, within a second.
  void write_until_closed() {
    constexpr seconds unflushed_most{1};
    auto flush_at = Monotonic::max();
    while (auto jobs = write_queue_.take(options_.group, flush_at)) {
      if (!jobs->empty()) {
        writer_->run_writes(std::move(*jobs));
        if (!options_.durable) flush_at = std::min(flush_at, std::chrono::steady_clock::now() + unflushed_most);
      }
      if (flush_at == Monotonic::max() || std::chrono::steady_clock::now() < flush_at) continue;
      writer_->flush();
      flush_at = Monotonic::max();
    }
  }

  void submit(shop::Access access, Job job) {
    const bool reads = access == shop::Access::read;
    if (!options_.threads) {
      std::vector<Job> jobs;
      jobs.push_back(std::move(job));
      reads ? readers_.front()->run_reads(std::move(jobs)) : writer_->run_writes(std::move(jobs));
    } else if (!(reads ? read_queue_ : write_queue_).push(job)) {
      job.done(fail(busy("Too many requests wait for the database.")));
    }
  }

  const Options options_;
  Gathering gathering_;  // of what the writer writes
  std::unique_ptr<Worker> writer_;
  std::vector<std::unique_ptr<Worker>> readers_;
  Queue write_queue_, read_queue_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Database> open(Options options, const Clock& clock) {
  // SQLite would take a lock of the whole process to count what it allocates, and writers and readers would meet there.
  [[maybe_unused]] static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  return std::make_unique<SqliteDatabase>(std::move(options), clock);
}

}  // namespace shop::sqlite

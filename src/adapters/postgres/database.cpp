#include "adapters/postgres/database.hpp"

#include <atomic>
#include <charconv>
#include <deque>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "adapters/postgres/connection.hpp"
#include "adapters/postgres/many_rows.hpp"
#include "base/await_callback.hpp"

namespace shop::postgres {
namespace {

namespace asio = boost::asio;

constexpr int attempts = 3;
constexpr milliseconds retry_pause{20};

std::unique_ptr<Connection> take_out(std::vector<std::unique_ptr<Connection>>& list) {
  auto last = std::move(list.back());
  list.pop_back();
  return last;
}

class PostgresTransaction final : public Transaction {
 public:
  PostgresTransaction(const Context& context, Connection& connection, ManyRows& many_rows, std::string_view begin)
      : Transaction(context), connection_(connection), many_rows_(many_rows), begin_(begin) {}

  Task<Result<Rows>> run(const Query& query, Params params) override {
    std::vector<Statement> statements;
    statements.push_back({query.name, query.sql, std::move(params)});
    CO_TRY(auto rows, co_await send(std::move(statements)));
    co_return std::move(rows.back());
  }

  Task<Result<std::vector<Rows>>> run_each(const Query& query, std::vector<Params> sets) override {
    if (sets.empty()) co_return std::vector<Rows>();
    std::vector<Statement> statements;
    statements.reserve(sets.size() + 1);
    for (auto& params : sets) statements.push_back({query.name, query.sql, std::move(params)});
    co_return co_await send(std::move(statements));
  }

  Task<Result<void>> later(const Query& query, std::vector<Params> sets) override {
    std::ranges::move(many_rows_.statements(query, std::move(sets)), std::back_inserter(waiting_));
    co_return Result<void>();
  }

  Dialect dialect() const override { return Dialect::postgres; }

  bool begun() const { return begun_; }
  bool has_work() const { return begun_ || !waiting_.empty(); }

  // What still waits, and a beginning where there was none.
  std::vector<Statement> rest() {
    std::vector<Statement> statements;
    if (!std::exchange(begun_, true)) statements.push_back({"begin", begin_, {}});
    std::ranges::move(waiting_, std::back_inserter(statements));
    waiting_.clear();
    return statements;
  }
  std::vector<std::move_only_function<void()>> take_hooks() { return std::move(hooks_); }

 private:
  Task<Result<std::vector<Rows>>> send(std::vector<Statement> statements) {
    auto all = rest();
    const auto before = static_cast<std::ptrdiff_t>(all.size());
    std::ranges::move(statements, std::back_inserter(all));
    CO_TRY(auto rows, co_await connection_.batch(std::move(all)));
    rows.erase(rows.begin(), rows.begin() + before);
    co_return rows;
  }

  Connection& connection_;
  ManyRows& many_rows_;
  const std::string_view begin_;
  bool begun_ = false;
  std::vector<Statement> waiting_;
};

class Pool final : public Database {
 public:
  Pool(Options options, asio::io_context& loop, WorkerPool& workers, Clock& clock)
      : options_(std::move(options)), loop_(loop), workers_(workers), clock_(clock) {}

  Task<Result<void>> run(const Context& context, Access access, Work work) override {
    // On the pool's own loop, wherever the caller lives.
    co_return co_await asio::co_spawn(loop_, attempt_all(context, access, work), asio::use_awaitable);
  }

  Task<Result<void>> ping(const Context& context) override {
    static constexpr Query alive{"ping", "SELECT 1"};
    co_return co_await run(context, Access::read, [](Transaction& tx) { return perform(tx, alive); });
  }

  PoolState pool() const override { return {open_, busy_, waiting_count_}; }

 private:
  // Handed to who has waited longest, so that nobody who comes later is served before.
  struct Turn {
    bool in_time = true;
    std::unique_ptr<Connection> connection;  // none: the right to open one
  };
  struct Waiting {
    Monotonic deadline;
    Callback<Turn> resume;
  };

  Task<Result<void>> attempt_all(const Context& context, Access access, Work& work) {
    for (int attempt = 1;; ++attempt) {
      bool again = false;
      auto outcome = co_await attempt_once(context, access, work, again);
      if (outcome || !again || attempt == attempts || clock_.now() >= context.deadline) co_return outcome;
      co_await clock_.sleep(retry_pause * attempt);
    }
  }

  Task<Result<void>> attempt_once(const Context& context, Access access, Work& work, bool& again) {
    if (clock_.now() >= context.deadline) co_return too_late();
    CO_TRY(auto connection, co_await acquire(context));
    connection->until(context.deadline);
    auto outcome = co_await use(context, access, work, *connection, again);
    connection->until(Monotonic::max());
    give_back(std::move(connection));
    co_return outcome;
  }

  Task<Result<void>> use(const Context& context, Access access, Work& work, Connection& connection, bool& again) {
    PostgresTransaction tx(context, connection, many_rows_,
                           access == Access::write ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    auto outcome = co_await work(tx);
    if (outcome && connection.usable() && connection.block_failed()) {
      outcome = fail(Code::internal, "Internal error.", "FAILED_STATEMENT", "a work went on after a statement had failed");
    }
    if (outcome && access == Access::write && clock_.now() >= context.deadline) outcome = too_late();  // nobody waits for it: it is undone
    again = !outcome && (outcome.error().name == "TRY_AGAIN" || outcome.error().name == "CONNECTION_LOST");
    const bool commits = outcome.has_value() && access == Access::write;
    if (!connection.usable() || !(commits ? tx.has_work() : tx.begun())) co_return outcome;
    if (!commits) {
      (void)co_await connection.batch(one({"end", "ROLLBACK", {}}));
      co_return outcome;
    }
    auto last = tx.rest();
    last.push_back({"end", "COMMIT", {}});
    auto ended = co_await connection.batch(std::move(last));
    if (!ended) {
      const auto& error = ended.error();
      const bool answered = connection.usable();  // the server itself refused: then nothing was done
      if (answered && connection.in_transaction()) (void)co_await connection.batch(one({"end", "ROLLBACK", {}}));
      again = answered && error.name == "TRY_AGAIN";
      if (answered) co_return Failure(std::move(ended).error());
      for (auto& hook : tx.take_hooks()) hook();
      co_return fail(Code::unknown_outcome, "The commit's outcome is not known.", {}, error.detail);
    }
    for (auto& hook : tx.take_hooks()) hook();
    co_return outcome;
  }

  static Failure too_late() { return fail(Code::timed_out, "The database had no time for the request."); }

  static std::vector<Statement> one(Statement statement) {
    std::vector<Statement> list;
    list.push_back(std::move(statement));
    return list;
  }

  Task<Result<std::unique_ptr<Connection>>> acquire(const Context& context) {
    std::unique_ptr<Connection> connection;
    if (!idle_.empty()) {
      connection = take_out(idle_);
    } else if (open_ < options_.connections) {
      ++open_;
    } else {
      if (waiting_.size() >= options_.queue) {
        co_return fail(busy("Too many requests wait for the database."));
      }
      auto turn = co_await await_callback<Turn>([&](Callback<Turn> resume) {
        waiting_.push_back({context.deadline, std::move(resume)});
        waiting_count_ = waiting_.size();
        watch_queue();
      });
      if (!turn.in_time) co_return fail(Code::timed_out, "The database had no time for the request.");
      connection = std::move(turn.connection);
    }
    ++busy_;
    if (connection) co_return connection;
    auto fresh = co_await Connection::open(context, options_.url, loop_, workers_);
    if (!fresh) {
      --busy_;
      free_place();
    }
    co_return fresh;
  }

  void give_back(std::unique_ptr<Connection> connection) {
    --busy_;
    if (connection->usable()) {
      if (waiting_.empty()) idle_.push_back(std::move(connection));
      else hand_on({true, std::move(connection)});
      return;
    }
    if (!connection->timed_out()) {  // a server that went away took the idle ones along
      open_ -= idle_.size();
      idle_.clear();
    }
    connection.reset();
    free_place();
  }

  void free_place() {
    if (waiting_.empty()) --open_;
    else hand_on({true, nullptr});
  }

  void hand_on(Turn turn) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_count_ = waiting_.size();
    next.resume(std::move(turn));
  }

  // Ends the waits whose time is over; runs only while somebody waits.
  void watch_queue() {
    if (watching_) return;
    watching_ = true;
    asio::co_spawn(loop_, expire_waits(), [](std::exception_ptr thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
  }

  Task<> expire_waits() {
    while (!waiting_.empty()) {
      co_await clock_.sleep(milliseconds(20));
      const auto now = clock_.now();
      std::deque<Waiting> kept;
      for (auto& each : waiting_) {
        if (each.deadline > now) kept.push_back(std::move(each));
        else each.resume({false, nullptr});
      }
      waiting_ = std::move(kept);
      waiting_count_ = waiting_.size();
    }
    watching_ = false;
  }

  const Options options_;
  asio::io_context& loop_;
  WorkerPool& workers_;
  Clock& clock_;
  ManyRows many_rows_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::deque<Waiting> waiting_;
  bool watching_ = false;
  std::atomic<std::size_t> open_{0}, busy_{0}, waiting_count_{0};
};

}  // namespace

bool usable_address(const std::string& url) {
  if (!url.starts_with("postgres://") && !url.starts_with("postgresql://")) return false;
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parts(PQconninfoParse(url.c_str(), &error), PQconninfoFree);
  PQfreemem(error);
  if (!parts) return false;
  for (const auto* part = parts.get(); part->keyword; ++part) {  // libpq looks at ports only when it connects
    if (std::string_view(part->keyword) != "port" || !part->val) continue;
    for (std::string_view ports(part->val); !ports.empty();) {
      const auto one = ports.substr(0, ports.find(','));
      int port = 0;
      const auto read = std::from_chars(one.data(), one.data() + one.size(), port);
      if (!one.empty() && (read.ec != std::errc() || read.ptr != one.data() + one.size() || port < 1 || port > 65535)) return false;
      ports.remove_prefix(std::min(one.size() + 1, ports.size()));
    }
  }
  return true;
}

std::unique_ptr<Database> open(Options options, asio::io_context& loop, WorkerPool& workers, Clock& clock) {
  return std::make_unique<Pool>(std::move(options), loop, workers, clock);
}

}  // namespace shop::postgres

#include "adapters/postgres/connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace shop::postgres {
namespace {

namespace asio = boost::asio;

constexpr milliseconds connect_limit{2000};
constexpr std::size_t max_prepared = 256;  // composed lists have many texts; those beyond are sent unprepared

// Types as in pg_type.dat.
constexpr Oid oid_bool = 16, oid_int8 = 20, oid_int2 = 21, oid_int4 = 23, oid_numeric = 1700;

std::string text_of(const Value& value) {
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "t" : "f";
  if (const auto* i = std::get_if<std::int64_t>(&value)) return std::to_string(*i);
  return std::get<std::string>(value);
}

// libpq takes texts as C strings.
bool cut_short(const Params& params) {
  return std::any_of(params.begin(), params.end(), [](const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    return text && text->find('\0') != text->npos;
  });
}

Value value_of(PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column)) return {};
  const std::string_view text(PQgetvalue(result, row, column), static_cast<std::size_t>(PQgetlength(result, row, column)));
  switch (PQftype(result, column)) {
    case oid_bool: return text == "t";
    case oid_int8:
    case oid_int2:
    case oid_int4:
    case oid_numeric: {  // sums of bigint are numeric
      std::int64_t number = 0;
      const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
      if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return number;
      return std::string(text);
    }
    default: return std::string(text);
  }
}

Rows rows_of(PGresult* result) {
  Rows rows;
  const int count = PQntuples(result), columns = PQnfields(result);
  rows.columns = static_cast<std::size_t>(columns);
  rows.cells.reserve(static_cast<std::size_t>(count) * rows.columns);
  for (int row = 0; row < count; ++row) {
    for (int column = 0; column < columns; ++column) rows.cells.push_back(value_of(result, row, column));
  }
  if (std::string_view(PQcmdStatus(result)).starts_with("SELECT")) return rows;  // its count is not one of changes
  const std::string_view affected = PQcmdTuples(result);
  std::from_chars(affected.data(), affected.data() + affected.size(), rows.affected);
  return rows;
}

std::string_view field(PGresult* result, int which) {
  const char* text = PQresultErrorField(result, which);
  return text ? std::string_view(text) : std::string_view();
}

// "Key (email_key)=(a@b.cd) already exists." -> "users.email_key"; of several columns "t.a, t.b": as SQLite names them.
std::string columns_named(PGresult* result) {
  auto detail = field(result, PG_DIAG_MESSAGE_DETAIL);
  const auto open = detail.find('('), close = detail.find(")=");
  if (open == detail.npos || close == detail.npos) return std::string(field(result, PG_DIAG_CONSTRAINT_NAME));
  std::string named;
  for (detail = detail.substr(open + 1, close - open - 1); !detail.empty();) {
    const auto column = detail.substr(0, detail.find(", "));
    detail.remove_prefix(std::min(detail.size(), column.size() + 2));
    named += fmt::format("{}{}.{}", named.empty() ? "" : ", ", field(result, PG_DIAG_TABLE_NAME), column);
  }
  return named;
}

Failure unreachable(const PGconn* handle) {
  return fail(Code::unavailable, "The database cannot be reached.", {}, handle ? PQerrorMessage(handle) : "out of memory");
}

Failure error_of(PGresult* result, std::string_view statement) {
  const auto state = field(result, PG_DIAG_SQLSTATE);
  auto detail = fmt::format("{}: {} ({})", statement, field(result, PG_DIAG_MESSAGE_PRIMARY), state);
  if (state == "23505") return fail(Code::conflict, "The value is taken.", "UNIQUE", columns_named(result));
  if (state == "23503") return fail(Code::conflict, "The object is in use or unknown.", "FOREIGN_KEY", columns_named(result));
  if (state == "23514") return fail(Code::conflict, "The value is out of its range.", "CHECK", std::string(field(result, PG_DIAG_CONSTRAINT_NAME)));
  if (state == "40001" || state == "40P01") return fail(Code::unavailable, "The database was too busy.", "TRY_AGAIN", std::move(detail));
  if (state == "55P03") return fail(Code::unavailable, "The database was too busy.", {}, std::move(detail));  // lock_timeout
  if (state == "57014") return fail(Code::timed_out, "The database had no time for the request.", {}, std::move(detail));
  const auto group = state.substr(0, 2);
  if (group == "22") return fail(Code::invalid, "A value cannot be stored.", {}, std::move(detail));  // too long, no number, ...
  if (group == "08" || group == "53" || group == "57" || group == "58") {
    return fail(Code::unavailable, "The database cannot be used now.", {}, std::move(detail));
  }
  return fail(Code::internal, "Internal error.", {}, std::move(detail));
}

}  // namespace

void Limit::at(Monotonic when, std::function<void()> expire) {
  ticket_ = std::make_shared<char>();
  timer_.expires_at(when);
  timer_.async_wait([ticket = std::weak_ptr(ticket_), expire = std::move(expire)](boost::system::error_code error) {
    if (!error && ticket.lock()) expire();
  });
}

Connection::Connection(Handle handle, asio::io_context& loop, WorkerPool& workers)
    : handle_(std::move(handle)),
      workers_(workers),
      socket_(loop, PQsocket(handle_.get())),
      limit_(loop),
      cancel_(PQgetCancel(handle_.get()), PQfreeCancel) {}

Connection::~Connection() {
  socket_.release();  // libpq closes it
}

Task<Result<std::unique_ptr<Connection>>> Connection::open(const Context& context, std::string url, asio::io_context& loop,
                                                           WorkerPool& workers) {
  const auto begin = [url = std::move(url)]() -> Result<Handle> {
    // Settings of the address win over these. The server gives up by itself what nobody waits for any more. A statement is planned once a
    // connection, maybe when its tables are empty still, and the plan stays until they are analysed: reading a table from end to end must
    // not look cheap then.
    static constexpr const char* names[] = {"dbname", "application_name", "client_encoding", "tcp_user_timeout", "options", nullptr};
    const char* values[] = {url.c_str(), "shop", "UTF8", "10000",
                            "-c statement_timeout=15s -c idle_in_transaction_session_timeout=15s -c lock_timeout=10s"
                            " -c enable_seqscan=off -c random_page_cost=1.1 -c jit=off", nullptr};
    Handle handle(PQconnectStartParams(names, values, 1));
    if (!handle || PQstatus(handle.get()) == CONNECTION_BAD) return unreachable(handle.get());
    return handle;
  };
  CO_TRY(Handle handle, co_await workers.run(context, begin));
  CO_CHECK(co_await shake_hands(handle.get(), loop, std::min(context.deadline, std::chrono::steady_clock::now() + connect_limit)));
  if (PQsetnonblocking(handle.get(), 1) != 0 || PQenterPipelineMode(handle.get()) != 1) co_return unreachable(handle.get());
  PQsetNoticeProcessor(handle.get(), [](void*, const char*) {}, nullptr);
  co_return std::unique_ptr<Connection>(new Connection(std::move(handle), loop, workers));
}

// libpq says after each step what it waits for, and may have gone on to another socket (the next address of a name).
Task<Result<void>> Connection::shake_hands(PGconn* handle, asio::io_context& loop, Monotonic deadline) {
  for (auto next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK; next = PQconnectPoll(handle)) {
    if (next == PGRES_POLLING_FAILED) co_return unreachable(handle);
    asio::posix::stream_descriptor socket(loop, PQsocket(handle));
    bool late = false;
    Limit limit(loop);
    limit.at(deadline, [&] {
      late = true;
      boost::system::error_code ignored;
      socket.cancel(ignored);
    });
    boost::system::error_code ignored;
    co_await socket.async_wait(next == PGRES_POLLING_READING ? socket.wait_read : socket.wait_write, asio::redirect_error(asio::use_awaitable, ignored));
    socket.release();
    if (late) co_return fail(Code::unavailable, "The database cannot be reached.", {}, "it accepted no connection in time");
  }
  co_return Result<void>();
}

void Connection::until(Monotonic deadline) {
  if (deadline == Monotonic::max()) limit_.never();
  else limit_.at(deadline, [this] { expire(); });
}

void Connection::expire() {
  timed_out_ = true;
  usable_ = false;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
  // Tells the server on a connection of its own; blocking, so on a worker. Nobody waits for the outcome.
  (void)workers_.post([cancel = cancel_] {
    std::array<char, 256> error;
    PQcancel(cancel.get(), error.data(), static_cast<int>(error.size()));
  });
}

Failure Connection::lost() {
  usable_ = false;
  if (timed_out_) return fail(Code::timed_out, "The database did not answer in time.");
  return fail(Code::unavailable, "The connection to the database was lost.", "CONNECTION_LOST", PQerrorMessage(handle_.get()));
}

bool Connection::send(const Statement& statement, std::vector<Expected>& expected) {
  std::vector<std::string> texts;
  texts.reserve(statement.params.size());
  std::vector<const char*> pointers;
  for (const auto& param : statement.params) {
    const bool null = std::holds_alternative<std::monostate>(param);
    texts.push_back(null ? std::string() : text_of(param));
    pointers.push_back(null ? nullptr : texts.back().c_str());
  }
  const auto count = static_cast<int>(pointers.size());
  const std::string sql(statement.sql);
  auto known = prepared_.find(sql);
  if (known == prepared_.end()) {
    if (prepared_.size() >= max_prepared) {
      expected.push_back({statement.name, {}});
      return PQsendQueryParams(handle_.get(), sql.c_str(), count, nullptr, pointers.data(), nullptr, nullptr, 0) == 1;
    }
    known = prepared_.emplace(sql, fmt::format("s{}", names_given_++)).first;
    expected.push_back({statement.name, sql});
    if (PQsendPrepare(handle_.get(), known->second.c_str(), sql.c_str(), 0, nullptr) != 1) return false;
  }
  expected.push_back({statement.name, {}});
  return PQsendQueryPrepared(handle_.get(), known->second.c_str(), count, pointers.data(), nullptr, nullptr, 0) == 1;
}

Task<> Connection::wait(asio::posix::stream_descriptor::wait_type what) {
  boost::system::error_code ignored;
  co_await socket_.async_wait(what, asio::redirect_error(asio::use_awaitable, ignored));
}

Task<bool> Connection::flush() {
  for (;;) {
    const int left = PQflush(handle_.get());
    if (left <= 0) co_return left == 0;
    co_await wait(socket_.wait_write);
    if (!usable_) co_return false;
  }
}

Task<Connection::ResultPtr> Connection::next_result() {
  while (PQisBusy(handle_.get())) {
    co_await wait(socket_.wait_read);
    if (!usable_ || PQconsumeInput(handle_.get()) != 1) {
      usable_ = false;
      co_return ResultPtr();
    }
  }
  co_return ResultPtr(PQgetResult(handle_.get()));
}

Task<Result<std::vector<Rows>>> Connection::batch(std::vector<Statement> statements) {
  if (!usable_) co_return lost();
  std::vector<Expected> expected;
  for (const auto& statement : statements) {
    if (cut_short(statement.params)) co_return fail(Code::invalid, "A text must not contain the character U+0000.");
  }
  for (const auto& statement : statements) {
    if (!send(statement, expected)) co_return lost();
  }
  if (PQpipelineSync(handle_.get()) != 1 || !(co_await flush())) co_return lost();

  std::vector<Rows> rows;
  std::optional<Failure> failure;
  std::size_t index = 0;
  bool ended = false;
  for (;;) {
    const auto result = co_await next_result();
    if (!usable_) co_return lost();
    if (!result) {  // the end of one statement's results; of two there is more to come, unless libpq has lost its place
      if (std::exchange(ended, true) || PQstatus(handle_.get()) == CONNECTION_BAD) co_return lost();
      continue;
    }
    ended = false;
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_PIPELINE_SYNC) break;
    if (index == expected.size()) co_return lost();
    const auto& awaited = expected[index++];
    const bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!good && !awaited.prepares.empty()) prepared_.erase(awaited.prepares);
    if (good && awaited.prepares.empty()) rows.push_back(rows_of(result.get()));
    if (status != PGRES_FATAL_ERROR) continue;
    if (field(result.get(), PG_DIAG_SQLSTATE).empty()) co_return lost();  // libpq's own: what the server sent cannot be read
    if (!failure) failure = error_of(result.get(), awaited.name);
  }
  if (failure) co_return std::move(*failure);
  co_return rows;
}

}  // namespace shop::postgres

#include "adapters/sqlite/connection.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

namespace shop::sqlite {
namespace {

constexpr std::size_t max_statements = 256;  // lists are composed of their filters, so texts vary

void bind(sqlite3_stmt* s, int index, const Value& value) {
  if (const auto* b = std::get_if<bool>(&value)) {
    sqlite3_bind_int(s, index, *b);
  } else if (const auto* i = std::get_if<std::int64_t>(&value)) {
    sqlite3_bind_int64(s, index, *i);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    sqlite3_bind_text64(s, index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
  } else {
    sqlite3_bind_null(s, index);
  }
}

Value column(sqlite3_stmt* s, int index) {
  switch (sqlite3_column_type(s, index)) {
    case SQLITE_NULL: return {};
    case SQLITE_INTEGER: return static_cast<std::int64_t>(sqlite3_column_int64(s, index));
    default: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s, index));
      return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(s, index)));
    }
  }
}

bool has_nul(const Value& value) {  // what other stores cannot keep, this one does not either
  const auto* text = std::get_if<std::string>(&value);
  return text && text->find('\0') != text->npos;
}

[[noreturn]] void refuse(const std::string& path, sqlite3* db, int code) {
  const char* why = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      throw std::runtime_error(fmt::format("{} is damaged ({}). Restore it from a backup, or move the folder away.", path, why));
    case SQLITE_FULL:
      throw std::runtime_error(fmt::format("The disk that holds {} is full.", path));
    default:
      throw std::runtime_error(fmt::format("{} cannot be opened: {}.", path, why));
  }
}

}  // namespace

Connection::Connection(const std::string& path, Mode mode, const std::string& vfs, int checkpoint_pages) {
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int opened = sqlite3_open_v2(path.c_str(), &db, flags, vfs.empty() ? nullptr : vfs.c_str());
  db_.reset(db);
  if (opened != SQLITE_OK) refuse(path, db, opened);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, 5000);  // another process (shopctl) may hold the writer for a moment
  // cache_spill: what does not fit into the cache must not go to the log before the commit. In SQLite 3.40 ROLLBACK TO then leaves pages
  // there without their checksums, and a commit that was acknowledged is gone, with all after it, once the log is read anew.
  const char* synchronous = mode == Mode::volatile_writer ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL";
  for (const char* pragma : {"PRAGMA journal_mode=WAL", synchronous, "PRAGMA foreign_keys=ON", "PRAGMA cache_size=-4000",
                             "PRAGMA cache_spill=OFF", "PRAGMA temp_store=MEMORY",
                             "PRAGMA journal_size_limit=67108864", "SELECT count(*) FROM sqlite_schema"}) {
    if (const int code = sqlite3_exec(db, pragma, nullptr, nullptr, nullptr); code != SQLITE_OK) refuse(path, db, code);
  }
  sqlite3_wal_autocheckpoint(db, checkpoint_pages);
  if (mode == Mode::reader) sqlite3_exec(db, "PRAGMA query_only=ON", nullptr, nullptr, nullptr);
}

Result<Connection::Statement*> Connection::prepared(std::string_view sql) {
  if (auto it = statements_.find(sql); it != statements_.end()) return &it->second;
  if (statements_.size() >= max_statements) statements_.clear();

  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &handle, nullptr) !=
      SQLITE_OK) {
    return error(sql);
  }
  Statement statement{std::unique_ptr<sqlite3_stmt, Finalize>(handle), {}};
  for (int i = 1; i <= sqlite3_bind_parameter_count(handle); ++i) {
    const std::string_view name = sqlite3_bind_parameter_name(handle, i);  // "$3"
    int number = 0;
    std::from_chars(name.data() + 1, name.data() + name.size(), number);
    statement.number_at.push_back(number);
  }
  return &statements_.emplace(std::string(sql), std::move(statement)).first->second;
}

Result<Rows> Connection::run(const Query& query, const Params& params) {
  const std::string_view sql = query.sqlite.empty() ? query.sql : query.sqlite;
  if (std::any_of(params.begin(), params.end(), has_nul)) {
    return fail(Code::invalid, "A text must not contain the character U+0000.");
  }
  TRY(Statement* statement, prepared(sql));
  sqlite3_stmt* s = statement->handle.get();
  for (std::size_t i = 0; i < statement->number_at.size(); ++i) {
    const auto number = static_cast<std::size_t>(statement->number_at[i]);
    if (number == 0 || number > params.size()) {
      return fail(Code::internal, "A statement lacks a parameter.", "BAD_STATEMENT", std::string(query.name));
    }
    bind(s, static_cast<int>(i + 1), params[number - 1]);
  }
  Rows rows;
  rows.columns = static_cast<std::size_t>(sqlite3_column_count(s));
  const auto changes_before = sqlite3_total_changes64(db_.get());
  int step;
  while ((step = sqlite3_step(s)) == SQLITE_ROW) {
    for (std::size_t i = 0; i < rows.columns; ++i) rows.cells.push_back(column(s, static_cast<int>(i)));
  }
  auto outcome = step == SQLITE_DONE ? Result<Rows>(std::move(rows)) : Result<Rows>(error(query.name));
  if (outcome && sqlite3_total_changes64(db_.get()) != changes_before) outcome->affected = sqlite3_changes64(db_.get());
  sqlite3_reset(s);
  sqlite3_clear_bindings(s);
  return outcome;
}

Result<void> Connection::execute(std::string_view sql) {
  TRY(Statement* statement, prepared(sql));
  sqlite3_stmt* s = statement->handle.get();
  int step;
  while ((step = sqlite3_step(s)) == SQLITE_ROW) {}
  auto outcome = step == SQLITE_DONE ? Result<void>() : Result<void>(error(sql));
  sqlite3_reset(s);
  return outcome;
}

Failure Connection::error(std::string_view statement) const {
  const int code = sqlite3_extended_errcode(db_.get());
  const std::string_view text = sqlite3_errmsg(db_.get());
  const auto after_colon = std::string(text.substr(text.rfind(": ") == text.npos ? 0 : text.rfind(": ") + 2));
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY: return fail(Code::conflict, "The value is taken.", "UNIQUE", after_colon);
    case SQLITE_CONSTRAINT_CHECK: return fail(Code::conflict, "The value is out of its range.", "CHECK", after_colon);
    case SQLITE_CONSTRAINT_FOREIGNKEY: return fail(Code::conflict, "The object is in use or unknown.", "FOREIGN_KEY");
    case SQLITE_FULL: return fail(Code::unavailable, "The disk is full.", "DISK_FULL", std::string(text));
    default: break;
  }
  std::string detail = fmt::format("{}: {} ({})", statement.substr(0, 80), text, code);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN: return fail(Code::unavailable, "The database cannot be used now.", {}, std::move(detail));
    default: return fail(Code::internal, "Internal error.", {}, std::move(detail));
  }
}

}  // namespace shop::sqlite

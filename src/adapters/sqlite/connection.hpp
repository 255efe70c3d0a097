// One SQLite connection with its prepared statements. Blocking; used by one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sqlite3.h>

#include "base/result.hpp"
#include "base/sql.hpp"

namespace shop::sqlite {

class Connection {
 public:
  // Durable: WAL with synchronous=FULL, a commit survives power loss. Volatile: synchronous=NORMAL, it survives the process, and a
  // power loss takes the last commits, never the file.
  enum class Mode { writer, volatile_writer, reader };

  // Throws std::runtime_error with a sentence that says what to do: unreadable, corrupt, not a database, full disk.
  // `vfs`: SQLite's name of the file system to use; empty: the operating system's. `checkpoint_pages`: of the log, until they are
  // carried into the file.
  Connection(const std::string& path, Mode mode, const std::string& vfs = {}, int checkpoint_pages = 4000);

  Result<Rows> run(const Query& query, const Params& params);
  Result<void> execute(std::string_view sql);  // BEGIN and its kin, which are prepared once as well
  bool in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }

 private:
  struct CloseDb {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  struct Statement {
    std::unique_ptr<sqlite3_stmt, Finalize> handle;
    std::vector<int> number_at;  // position in SQLite's order -> n of $n
  };

  Result<Statement*> prepared(std::string_view sql);
  Failure error(std::string_view statement) const;

  std::unique_ptr<sqlite3, CloseDb> db_;
  std::unordered_map<std::string, Statement, TextHash, std::equal_to<>> statements_;
};

}  // namespace shop::sqlite

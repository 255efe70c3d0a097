// SQL values and rows, the same for every relational store. Text and integers only: money is minor units, instants are
// milliseconds, ids and JSON are text; so there is nothing that two stores could round differently.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace shop {

using Value = std::variant<std::monostate, bool, std::int64_t, std::string>;
using Params = std::vector<Value>;

// A statement with parameters $1, $2 ... in the subset that SQLite 3.40 and PostgreSQL 15 share. Its name keys the prepared
// statement, the metrics and the log. `sqlite` is given only where the two cannot agree.
struct Query {
  std::string_view name;
  std::string_view sql;
  std::string_view sqlite = {};
};

// A statement that reads rows for change (ports/database.hpp). SQLite has one writer: to read in its transaction is enough.
#define FOR_CHANGE(name, select) \
  ::shop::Query { name, select " FOR NO KEY UPDATE", select }

// A statement in which a column, with which `before` ends, is one of the ids in $1, a JSON array. As an array, which is looked up entry by entry; of
// a set PostgreSQL does not know how small it is, and reads the table from end to end.
#define WITH_IDS(name, before, after) WITH_IDS_LOCKING(name, before, after, "")

// The same, read for change.
#define WITH_IDS_FOR_CHANGE(name, before, after) WITH_IDS_LOCKING(name, before, after, " FOR NO KEY UPDATE")

#define WITH_IDS_LOCKING(name, before, after, lock)                                                \
  ::shop::Query {                                                                                  \
    name, before " = ANY (ARRAY(SELECT jsonb_array_elements_text(CAST($1 AS jsonb))))" after lock, \
        before " IN (SELECT value FROM json_each($1))" after                                       \
  }

struct Rows {
  std::size_t columns = 0;
  std::vector<Value> cells;    // row after row
  std::int64_t affected = 0;   // rows inserted, updated or deleted

  std::size_t count() const { return columns == 0 ? 0 : cells.size() / columns; }
  std::span<const Value> row(std::size_t i) const { return std::span(cells).subspan(i * columns, columns); }
};

}  // namespace shop

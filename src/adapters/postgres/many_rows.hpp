// An INSERT of one row, made for several: one execution instead of one a row, which is most of what a narrow row costs PostgreSQL.
#pragma once

#include <map>

#include "adapters/postgres/connection.hpp"
#include "base/sql.hpp"

namespace shop::postgres {

class ManyRows {
 public:
  static constexpr std::size_t most = 32;  // rows in a statement

  // What runs the query for every set, in their order. Rows in powers of two, so that few texts are made and prepared. Where several rows would not do
  // the same (an upsert, a RETURNING, no INSERT), a statement for each set. The texts live as long as this object.
  std::vector<Statement> statements(const Query& query, std::vector<Params> sets);

 private:
  const std::string& text(const Query& query, std::size_t values, std::size_t rows);  // empty: it cannot be made

  std::map<std::pair<std::string_view, std::size_t>, std::string> texts_;  // of a query and a number of rows
};

}  // namespace shop::postgres

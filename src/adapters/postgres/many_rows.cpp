#include "adapters/postgres/many_rows.hpp"

#include <bit>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace shop::postgres {
namespace {

// ($5, $6, $7, $8) is the second row of four values.
std::string row_of(std::size_t values, std::size_t row) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i <= values; ++i) names.push_back(fmt::format("${}", row * values + i));
  return fmt::format("({})", fmt::join(names, ", "));
}

// Empty when a statement with several rows is not the same as several statements.
std::string text_for(std::string_view sql, std::size_t values, std::size_t rows) {
  const std::string first = "VALUES " + row_of(values, 0);
  const auto at = sql.find(first);
  if (!sql.starts_with("INSERT INTO ") || at == sql.npos) return {};
  const auto rest = sql.substr(at + first.size());
  if (!rest.empty() && rest != " ON CONFLICT DO NOTHING") return {};
  std::string text(sql.substr(0, at + first.size()));
  for (std::size_t row = 1; row < rows; ++row) text += ", " + row_of(values, row);
  return text.append(rest);
}

}  // namespace

const std::string& ManyRows::text(const Query& query, std::size_t values, std::size_t rows) {
  const auto [it, fresh] = texts_.try_emplace({query.sql, rows});
  if (fresh) it->second = text_for(query.sql, values, rows);
  return it->second;
}

std::vector<Statement> ManyRows::statements(const Query& query, std::vector<Params> sets) {
  std::vector<Statement> statements;
  for (std::size_t done = 0; done < sets.size();) {
    const auto rows = std::min(most, std::bit_floor(sets.size() - done));
    const std::string_view several = rows > 1 ? std::string_view(text(query, sets[done].size(), rows)) : std::string_view();
    if (several.empty()) {
      statements.push_back({query.name, query.sql, std::move(sets[done++])});
      continue;
    }
    Params all;
    all.reserve(rows * sets[done].size());
    for (const auto end = done + rows; done < end; ++done) std::ranges::move(sets[done], std::back_inserter(all));
    statements.push_back({query.name, several, std::move(all)});
  }
  return statements;
}

}  // namespace shop::postgres

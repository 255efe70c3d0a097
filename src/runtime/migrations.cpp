#include "runtime/migrations.hpp"

#include <fmt/format.h>

#include "observe/log.hpp"

namespace shop {
namespace {

constexpr Query create_table{"migrations_table",
                             "CREATE TABLE IF NOT EXISTS schema_migrations ("
                             "version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)"};
constexpr Query lock_postgres{"migrations_lock", "SELECT pg_advisory_xact_lock(7215)"};
constexpr Query latest{"migrations_latest", "SELECT COALESCE(MAX(version), 0) FROM schema_migrations"};
constexpr Query record{"migrations_record",
                       "INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, CAST(CURRENT_TIMESTAMP AS TEXT))"};

std::string in_dialect(std::string_view statement, Dialect dialect) {
  constexpr std::string_view mark = "@SERIAL@";
  std::string sql(statement);
  if (const auto at = sql.find(mark); at != sql.npos) {
    sql.replace(at, mark.size(), dialect == Dialect::postgres ? "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
                                                              : "INTEGER PRIMARY KEY AUTOINCREMENT");
  }
  return sql;
}

Task<Result<void>> apply(Transaction& tx, const Migration& migration) {
  auto rest = migration.sql;
  while (!rest.empty()) {
    const auto end = rest.find(";\n");
    const auto statement = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 2);
    if (trimmed(statement).empty()) continue;
    const std::string sql = in_dialect(statement, tx.dialect());
    CO_CHECK(co_await tx.run(Query{migration.name, sql}, {}));
  }
  CO_CHECK(co_await execute(tx, record, migration.version, migration.name));
  co_return Result<void>();
}

Task<Result<int>> bring_up_to_date(Transaction& tx, const std::string_view& service, const std::span<const Migration>& migrations) {
  if (tx.dialect() == Dialect::postgres) {
    CO_CHECK(co_await tx.run(lock_postgres, {}));
  }
  CO_CHECK(co_await tx.run(create_table, {}));
  CO_TRY(const auto version, co_await select_one<std::int64_t>(tx, latest));
  const int known = migrations.empty() ? 0 : migrations.back().version;
  if (*version > known) {
    co_return fail(Code::conflict,
                   fmt::format("The data of {} is at version {}, this program knows versions up to {}: start a newer program.",
                               service, *version, known),
                   "NEWER_DATA");
  }
  int applied = 0;
  for (const auto& migration : migrations) {
    if (migration.version <= *version) continue;
    CO_CHECK(co_await apply(tx, migration));
    ++applied;
  }
  co_return applied;
}

}  // namespace

Task<Result<void>> migrate(Database& database, const Context& context, std::string_view service,
                           std::span<const Migration> migrations) {
  CO_TRY(const int applied, co_await write(database, context, bring_up_to_date, service, migrations));
  if (applied > 0) log(Severity::info, "migrations", "schema changed", {{"database", service}, {"applied", applied}});
  co_return Result<void>();
}

}  // namespace shop

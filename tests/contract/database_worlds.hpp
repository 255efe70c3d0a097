// The relational stores, each as a suite meets it: a fresh database, opened as often as wanted.
#pragma once

#include <libpq-fe.h>

#include "adapters/postgres/database.hpp"
#include "adapters/sqlite/database.hpp"
#include "contract/support.hpp"
#include "ports/database.hpp"

namespace shop::contract {

struct Limits {
  std::size_t connections = 4, queue = 1024;
};

class SqliteWorld {
 public:
  SqliteWorld() { stage(); }

  std::unique_ptr<Database> open(Limits limits = {}, boost::asio::io_context* = nullptr) {
    return sqlite::open({.path = folder_.file("contract.db"), .queue = limits.queue}, stage().clock);
  }

  // Keeps a writing work busy inside its transaction.
  static Task<Result<void>> dawdle(Transaction&, milliseconds time) {
    std::this_thread::sleep_for(time);
    co_return Result<void>();
  }

 private:
  TemporaryFolder folder_;
};

// A pool with a thread of its own, which ends before the pool does: as in a process.
class OwnedPool final : public Database {
 public:
  explicit OwnedPool(postgres::Options options) : pool_(postgres::open(std::move(options), threads_.first(), stage().workers, stage().clock)) {}
  ~OwnedPool() override { threads_.stop(); }

  Task<Result<void>> run(const Context& context, Access access, Work work) override { return pool_->run(context, access, std::move(work)); }
  Task<Result<void>> ping(const Context& context) override { return pool_->ping(context); }
  PoolState pool() const override { return pool_->pool(); }

 private:
  net::IoThreads threads_{1};
  std::unique_ptr<Database> pool_;
};

class PostgresWorld {
 public:
  PostgresWorld() : server_(required("SHOP_TEST_POSTGRES")), name_(fresh_name("contract")) {
    stage();
    administer("postgres", "CREATE DATABASE " + name_);
  }
  ~PostgresWorld() { administer("postgres", "DROP DATABASE " + name_ + " WITH (FORCE)"); }

  // On a thread of its own, or on a loop that is stopped before the pool ends.
  std::unique_ptr<Database> open(Limits limits = {}, boost::asio::io_context* loop = nullptr) {
    return open_at(server_, limits, loop);
  }

  std::unique_ptr<Database> open_at(const Address& address, Limits limits = {}, boost::asio::io_context* loop = nullptr) {
    postgres::Options options{.url = url(address, name_), .connections = limits.connections, .queue = limits.queue};
    if (!loop) return std::make_unique<OwnedPool>(std::move(options));
    return postgres::open(std::move(options), *loop, stage().workers, stage().clock);
  }

  const Address& server() const { return server_; }
  const std::string& name() const { return name_; }

  static Task<Result<void>> dawdle(Transaction& tx, milliseconds time) {
    static constexpr Query nap{"nap", "SELECT pg_sleep(CAST($1 AS float8) / 1000)"};
    co_return co_await perform(tx, nap, time.count());
  }

  // A statement outside any pool; the first cell of its answer.
  std::string administer(const std::string& database, const std::string& sql) const {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(url(server_, database).c_str()), PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()), PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
  }

 private:
  // The password comes from PGPASSWORD.
  static std::string url(const Address& address, const std::string& database) {
    return fmt::format("postgres://shop@{}/{}?sslmode=disable&gssencmode=disable", address.text(), database);
  }

  const Address server_;
  const std::string name_;
};

// One for all tests of a suite; made when first needed, so that a missing component fails each of them.
template <class World>
World& the() {
  static World one;
  return one;
}

}  // namespace shop::contract

// A relational store, owned by one service.
//
// Work is a function over a Transaction; it may be run again from the start when the store asked for it (a deadlock, a
// shared commit that failed), so it must not have effects outside the transaction: those go to on_commit().
// No other wait than the transaction's own is allowed inside: it would hold locks, and SQLite's writer, meanwhile.
//
// Whoever decides on what they have read, or writes back what they have not changed of it, reads it *for change* (FOR_CHANGE): the rows stay as
// they were read until the transaction ends, and who else wants to change them waits and then reads them anew. A plain read promises
// nothing beyond its own statement: what another transaction commits right after it would be overwritten. What lies in other rows
// (a role's permissions, a category's products) is read after the row that stands for it is held, in a statement of its own. Rows
// are taken in one order everywhere, which each store's header says.
//
// A statement that failed ends its work: whatever the work then says, nothing of it is kept.
//
// Errors: conflict with name UNIQUE (detail: "table.column", of several "table.a, table.b"), FOREIGN_KEY or CHECK (detail: the
// constraint's name); invalid (a text with U+0000, a value out of its type's range); unavailable (down, or its queue is full);
// timed_out (nothing was done); unknown_outcome (the commit may or may not have happened).
#pragma once

#include <functional>
#include <optional>

#include "base/context.hpp"
#include "base/task.hpp"
#include "codec/row.hpp"

namespace shop {

enum class Dialect { sqlite, postgres };

class Transaction {
 public:
  explicit Transaction(const Context& context) : context_(context) {}
  virtual ~Transaction() = default;

  const Context& context() const { return context_; }  // of whoever waits for it

  virtual Task<Result<Rows>> run(const Query& query, Params params) = 0;

  // The same statement once for each set, in order; one round trip where the store can. The first error ends it.
  virtual Task<Result<std::vector<Rows>>> run_each(const Query& query, std::vector<Params> sets) = 0;

  // The same for statements whose rows nobody looks at: where it saves a round trip they wait for the next statement, or for the commit, and
  // their errors come from there. The query's text must live as long as the program.
  virtual Task<Result<void>> later(const Query& query, std::vector<Params> sets);

  virtual Dialect dialect() const = 0;

  // Runs on the store's thread, brief and without waiting, when the commit is durable, and also when its outcome is not known:
  // it must do no harm if nothing was committed.
  void on_commit(std::move_only_function<void()> hook) { hooks_.push_back(std::move(hook)); }

 protected:
  std::vector<std::move_only_function<void()>> hooks_;

 private:
  const Context& context_;
};

enum class Access { read, write };

struct PoolState {
  std::size_t open = 0;     // connections, or threads that have one
  std::size_t busy = 0;     // of those
  std::size_t waiting = 0;  // works that wait for one
};

class Database {
 public:
  using Work = std::move_only_function<Task<Result<void>>(Transaction&)>;

  virtual ~Database() = default;

  // An error from the work rolls everything back and is returned as it is.
  virtual Task<Result<void>> run(const Context& context, Access access, Work work) = 0;

  virtual Task<Result<void>> ping(const Context& context) = 0;

  virtual PoolState pool() const { return {}; }  // for metrics
};

template <class T>
struct ResultOf;
template <class T>
struct ResultOf<Task<Result<T>>> {
  using type = T;
};

namespace detail {

template <class T, class Call>
Task<Result<T>> transact(Database& database, const Context& context, Access access, Call call) {
  if constexpr (std::is_void_v<T>) {
    co_return co_await database.run(context, access, std::move(call));
  } else {
    // The lambdas only forward; the coroutine is keep(), whose arguments live in this frame.
    std::optional<T> value;
    constexpr auto keep = [](Transaction& tx, Call& inner, std::optional<T>& out) -> Task<Result<void>> {
      auto result = co_await inner(tx);
      if (!result) co_return Failure(std::move(result).error());
      out = std::move(*result);
      co_return Result<void>();
    };
    CO_CHECK(co_await database.run(context, access, [&](Transaction& tx) { return keep(tx, call, value); }));
    co_return std::move(*value);
  }
}

}  // namespace detail

// co_await write(db, ctx, place_order, order) runs place_order(tx, order) in a transaction. Arguments are taken by
// reference and must outlive the await, which those of the awaiting frame do.
template <class F, class... Args>
auto write(Database& database, const Context& context, F work, const Args&... args) {
  using T = typename ResultOf<std::invoke_result_t<F, Transaction&, const Args&...>>::type;
  return detail::transact<T>(database, context, Access::write,
                             [work, &args...](Transaction& tx) { return work(tx, args...); });
}

template <class F, class... Args>
auto read(Database& database, const Context& context, F work, const Args&... args) {
  using T = typename ResultOf<std::invoke_result_t<F, Transaction&, const Args&...>>::type;
  return detail::transact<T>(database, context, Access::read,
                             [work, &args...](Transaction& tx) { return work(tx, args...); });
}

// Statements as a store writes them. Parameters are bound in order.
template <class T>
Task<Result<std::vector<T>>> rows_of(Transaction& tx, const Query& query, Params params) {
  CO_TRY(const Rows rows, co_await tx.run(query, std::move(params)));
  co_return codec::from_rows<T>(rows);
}

template <class T>
Task<Result<std::optional<T>>> row_of(Transaction& tx, const Query& query, Params params) {
  CO_TRY(const Rows rows, co_await tx.run(query, std::move(params)));
  if (rows.count() == 0) co_return std::optional<T>();
  CO_TRY(T row, codec::from_row<T>(rows.row(0)));
  co_return std::optional<T>(std::move(row));
}

template <class T, class... Args>
Task<Result<std::vector<T>>> select(Transaction& tx, const Query& query, const Args&... args) {
  return rows_of<T>(tx, query, codec::params_of(args...));
}

template <class T, class... Args>
Task<Result<std::optional<T>>> select_one(Transaction& tx, const Query& query, const Args&... args) {
  return row_of<T>(tx, query, codec::params_of(args...));
}

// The number of rows that it changed.
Task<Result<std::int64_t>> execute_bound(Transaction& tx, const Query& query, Params params);
Task<Result<void>> perform_bound(Transaction& tx, const Query& query, Params params);
Task<Result<std::int64_t>> number_bound(Transaction& tx, const Query& query, Params params);

template <class... Args>
Task<Result<std::int64_t>> execute(Transaction& tx, const Query& query, const Args&... args) {
  return execute_bound(tx, query, codec::params_of(args...));
}

template <class... Args>
Task<Result<void>> perform(Transaction& tx, const Query& query, const Args&... args) {
  return perform_bound(tx, query, codec::params_of(args...));
}

template <class... Args>
Task<Result<void>> perform_later(Transaction& tx, const Query& query, const Args&... args) {
  std::vector<Params> sets;
  sets.push_back(codec::params_of(args...));
  return tx.later(query, std::move(sets));
}

// The integer that the statement selects; 0 when it selects nothing.
template <class... Args>
Task<Result<std::int64_t>> number(Transaction& tx, const Query& query, const Args&... args) {
  return number_bound(tx, query, codec::params_of(args...));
}

}  // namespace shop

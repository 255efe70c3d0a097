// Errors as values: one closed set of codes, one Error, Result = expected<T, Error>.
//
// A code decides the HTTP status, the log level and whether the same request may be tried again (see traits()).
// `unknown_outcome` is a code of its own: the work may or may not have happened (a timed-out COMMIT, a peer that
// hung up after the request was sent). Only an idempotency key may resolve it.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shop {

enum class Code : std::uint8_t {
  invalid,             // the caller's input is wrong
  unauthenticated,     // a token is missing, malformed, expired or its account is inactive
  forbidden,           // authenticated, but not allowed
  not_found,           // unknown object, or one that the caller may not know about
  method_not_allowed,  // the path exists, not with this method
  conflict,            // against the present state or a unique value
  gone,                // existed, has expired
  too_large,           // body or file over its limit
  head_too_large,      // a request's head over its limit
  unsupported_media,   // wrong media type
  unprocessable,       // an idempotency key used again with another request
  rate_limited,        // too many requests from one caller
  internal,            // our bug
  bad_upstream,        // a peer or store answered rubbish
  unavailable,         // a dependency is down, or a bounded queue is full
  timed_out,           // the deadline passed before the work was begun or while nothing had changed
  unknown_outcome,     // the work may or may not have been done
};

enum class Severity : std::uint8_t { info, warning, error };

struct CodeTraits {
  int status;                   // HTTP, RFC 9110 section 15
  std::string_view name;        // machine-readable, upper case
  std::string_view title;       // RFC 9457 "title"
  Severity severity;            // of the log line
  bool retryable;               // the same request may succeed later without a change
};

const CodeTraits& traits(Code code);

// One faulty field. `path` as in "items[1].sku"; empty means the whole.
struct Fault {
  std::string path;
  std::string message;

  friend bool operator==(const Fault&, const Fault&) = default;
};

struct Error {
  Code code = Code::internal;
  std::string message;                  // what a client may read
  std::string name;                     // e.g. INSUFFICIENT_STOCK; empty: the code's own name
  std::vector<Fault> faults;            // every faulty field at once
  std::string detail;                   // for the log only (SQLSTATE, a peer's text); never leaves the process
  std::chrono::seconds retry_after{0};  // > 0: sent as Retry-After
};

template <class T>
using Result = std::expected<T, Error>;

using Failure = std::unexpected<Error>;

inline Failure fail(Code code, std::string message, std::string name = {}, std::string detail = {}) {
  return Failure(Error{code, std::move(message), std::move(name), {}, std::move(detail), {}});
}

inline Failure fail(Error error) { return Failure(std::move(error)); }

// A bounded queue is full: nothing was begun, and it may be tried again in a second.
inline Error busy(std::string message) { return {Code::unavailable, std::move(message), "BUSY", {}, {}, std::chrono::seconds(1)}; }

}  // namespace shop

#define SHOP_CONCAT_(a, b) a##b
#define SHOP_CONCAT(a, b) SHOP_CONCAT_(a, b)
#define SHOP_TRY_(name, ret, declaration, ...)             \
  auto&& name = (__VA_ARGS__);                             \
  if (!name) ret ::shop::Failure(std::move(name).error()); \
  declaration = *std::move(name)

// TRY(auto x, f());             x = the value of a Result, or return its error.
// CO_TRY(auto x, co_await g()); the same inside a coroutine.
// CHECK / CO_CHECK              for a Result whose value is not needed.
#define TRY(declaration, ...) SHOP_TRY_(SHOP_CONCAT(try_, __COUNTER__), return, declaration, __VA_ARGS__)
#define CO_TRY(declaration, ...) SHOP_TRY_(SHOP_CONCAT(try_, __COUNTER__), co_return, declaration, __VA_ARGS__)
#define SHOP_CHECK_(ret, ...)                                                                  \
  do {                                                                                         \
    if (auto&& try_result = (__VA_ARGS__); !try_result) ret ::shop::Failure(std::move(try_result).error()); \
  } while (false)
#define CHECK(...) SHOP_CHECK_(return, __VA_ARGS__)
#define CO_CHECK(...) SHOP_CHECK_(co_return, __VA_ARGS__)

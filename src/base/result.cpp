#include "base/result.hpp"

#include <array>

namespace shop {

const CodeTraits& traits(Code code) {
  static constexpr std::array<CodeTraits, 17> table{{
      {400, "INVALID_INPUT", "Invalid input", Severity::info, false},
      {401, "UNAUTHENTICATED", "Authentication needed", Severity::info, false},
      {403, "FORBIDDEN", "Not allowed", Severity::info, false},
      {404, "NOT_FOUND", "Not found", Severity::info, false},
      {405, "METHOD_NOT_ALLOWED", "Method not allowed", Severity::info, false},
      {409, "CONFLICT", "Conflict", Severity::info, false},
      {410, "GONE", "Gone", Severity::info, false},
      {413, "TOO_LARGE", "Too large", Severity::info, false},
      {431, "HEAD_TOO_LARGE", "Head too large", Severity::info, false},
      {415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type", Severity::info, false},
      {422, "IDEMPOTENCY_KEY_REUSED", "Idempotency key used for another request", Severity::info, false},
      {429, "RATE_LIMITED", "Too many requests", Severity::info, true},
      {500, "INTERNAL_ERROR", "Internal error", Severity::error, false},
      {502, "BAD_UPSTREAM_ANSWER", "Bad upstream answer", Severity::error, true},
      {503, "UNAVAILABLE", "Service unavailable", Severity::warning, true},
      {504, "TIMED_OUT", "Deadline passed", Severity::warning, true},
      {503, "UNKNOWN_OUTCOME", "Outcome unknown", Severity::error, true},
  }};
  return table[static_cast<std::size_t>(code)];
}

}  // namespace shop

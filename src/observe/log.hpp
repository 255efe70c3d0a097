// One JSON object a line on stdout. Never give it a password, a token or a body.
//
//   log(Severity::warning, "relay", "publish failed", {{"topic", topic}, {"attempt", 3}});
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

#include "base/result.hpp"

namespace shop {

struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double> value;
};

enum class LogLevel { debug, info, warning, error, off };

// Lines are written by a thread of their own, 20 ms after the first that waits. When nobody reads them and 4 MB wait, further
// ones are dropped, and counted, rather than a request held up.
void start_log(std::string_view service, std::string_view instance, LogLevel level);
void set_log_level(LogLevel level);  // any time
void stop_log();                     // writes what waits

void log(Severity severity, std::string_view component, std::string_view message,
         std::initializer_list<LogField> fields = {});

struct AccessLine {
  std::string_view service, request_id, trace_id, method, route, path, remote, error_code, detail;
  int status = 0;
  double duration_ms = 0;
  std::uint64_t bytes = 0;
};
void log_access(const AccessLine& line);

}  // namespace shop

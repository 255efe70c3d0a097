#include "observe/log.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/time.hpp"
#include "codec/json_writer.hpp"

namespace shop {
namespace {

std::shared_ptr<spdlog::logger> logger;
std::string own_service, own_instance;
std::atomic<LogLevel> level_now{LogLevel::info};

Instant now() {
  return {std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

bool wanted(Severity severity) { return static_cast<int>(severity) + 1 >= static_cast<int>(level_now.load()); }

class Line {
 public:
  Line(Severity severity, std::string_view service) {
    static constexpr std::string_view names[] = {"info", "warning", "error"};
    out_.reserve(320);
    out_ += R"({"time":")";
    out_ += now().text();
    out_ += R"(","level":")";
    out_ += names[static_cast<std::size_t>(severity)];
    out_ += '"';
    add("service", service.empty() ? std::string_view(own_service) : service);
    add("instance", own_instance);
  }

  template <class T>
  void add(std::string_view name, const T& value) {
    out_ += ",\"";
    out_ += name;
    out_ += "\":";
    codec::write_json(out_, value);
  }

  void send() {
    out_ += '}';
    if (logger) logger->log(spdlog::level::info, out_);
  }

 private:
  std::string out_;
};

}  // namespace

void start_log(std::string_view service, std::string_view instance, LogLevel level) {
  own_service = service;
  own_instance = instance;
  level_now = level;
  spdlog::init_thread_pool(8192, 1);
  logger = std::make_shared<spdlog::async_logger>("log", std::make_shared<spdlog::sinks::stdout_sink_mt>(),
                                                  spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("%v");
  spdlog::flush_every(std::chrono::seconds(1));
  spdlog::register_logger(logger);
}

void set_log_level(LogLevel level) { level_now = level; }

void stop_log() {
  logger.reset();
  spdlog::shutdown();
}

void log(Severity severity, std::string_view component, std::string_view message, std::initializer_list<LogField> fields) {
  if (!wanted(severity)) return;
  Line line(severity, {});
  line.add("component", component);
  line.add("message", message);
  for (const auto& field : fields) {
    std::visit([&](const auto& value) { line.add(field.name, value); }, field.value);
  }
  line.send();
}

void log_access(const AccessLine& access) {
  const auto severity = access.status >= 500 ? (access.status == 500 ? Severity::error : Severity::warning) : Severity::info;
  if (!wanted(severity)) return;
  Line line(severity, access.service);
  line.add("requestId", access.request_id);
  line.add("traceId", access.trace_id);
  line.add("method", access.method);
  line.add("route", access.route);
  line.add("path", access.path);
  line.add("status", access.status);
  line.add("durationMs", access.duration_ms);
  line.add("bytes", access.bytes);
  line.add("remote", access.remote);
  if (!access.error_code.empty()) line.add("error", access.error_code);
  if (!access.detail.empty()) line.add("detail", access.detail);
  line.send();
}

}  // namespace shop

#include "observe/log.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time.hpp"
#include "codec/json_writer.hpp"

namespace shop {
namespace {

constexpr milliseconds gather{20};
constexpr std::size_t waiting_max = 4 * 1024 * 1024;

// Lines gather for a moment and leave in one write: under load the kernel is asked fifty times a second, not once a line.
class Writer {
 public:
  Writer() : thread_([this] { work(); }) {}

  ~Writer() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  void add(std::string_view line) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() + line.size() >= waiting_max) {
      ++lost_;
      return;
    }
    const bool first = waiting_.empty();
    waiting_.append(line).push_back('\n');
    if (first) changed_.notify_one();
  }

 private:
  void work() {
    std::string batch;
    while (true) {
      std::int64_t lost = 0;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
        if (!closing_) changed_.wait_for(lock, gather, [this] { return closing_; });
        batch.swap(waiting_);
        lost = std::exchange(lost_, 0);
        if (batch.empty() && closing_) return;
      }
      write(batch);
      batch.clear();
      if (lost > 0) log(Severity::warning, "log", "lines were dropped: nobody read them in time", {{"lines", lost}});
    }
  }

  static void write(std::string_view text) {
    while (!text.empty()) {
      const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
      if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
      else if (errno != EINTR) return;  // nobody reads any more: there is no place left to say so
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  std::int64_t lost_ = 0;
  bool closing_ = false;
  std::thread thread_;
};

std::unique_ptr<Writer> writer;
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
    if (writer) writer->add(out_);
  }

 private:
  std::string out_;
};

}  // namespace

void start_log(std::string_view service, std::string_view instance, LogLevel level) {
  own_service = service;
  own_instance = instance;
  level_now = level;
  writer = std::make_unique<Writer>();
}

void set_log_level(LogLevel level) { level_now = level; }

void stop_log() {
  writer.reset();
}

void log(Severity severity, std::string_view component, std::string_view message, std::initializer_list<LogField> fields) {
  if (!wanted(severity)) return;
  Line line(severity, {});
  line.add("component", component);
  line.add("message", as_text(message));
  for (const auto& field : fields) {
    if (const auto* text = std::get_if<std::string_view>(&field.value)) line.add(field.name, as_text(*text));
    else std::visit([&](const auto& value) { line.add(field.name, value); }, field.value);
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
  line.add("duration", access.duration_ms);
  line.add("bytes", access.bytes);
  line.add("remote", access.remote);
  if (!access.error_code.empty()) line.add("error", access.error_code);
  if (!access.detail.empty()) line.add("detail", as_text(access.detail));
  line.send();
}

}  // namespace shop

#include "observe/metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <mutex>

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace shop {
namespace {

// Resolves below a millisecond: a catalogue answer takes some hundred microseconds.
const prometheus::Histogram::BucketBoundaries duration_buckets{0.0001, 0.0002, 0.0004, 0.0007, 0.001, 0.002, 0.004, 0.007,
                                                               0.01,   0.02,   0.05,   0.1,    0.25,  0.5,   1,     2.5,   10};

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

struct Metrics::Impl {
  struct RouteMetrics {
    prometheus::Histogram* duration;
    std::map<int, prometheus::Counter*> by_status;
  };

  prometheus::Labels common;
  prometheus::Registry registry;
  std::mutex mutex;
  std::map<std::string, RouteMetrics, std::less<>> routes;
  std::vector<std::function<void()>> refreshers;
  std::mutex scraping;  // refreshers run for one scrape at a time
  double cpu_reported = 0;
};

Metrics::Metrics(std::string service, std::string instance) : impl_(std::make_unique<Impl>()) {
  impl_->common = {{"service", std::move(service)}, {"version", SHOP_VERSION}, {"instance", std::move(instance)}};
  in_flight_ = &gauge("http_requests_in_flight", "Requests being answered.");
  auto& resident = gauge("process_resident_memory_bytes", "Resident memory.");
  auto& cpu = counter("process_cpu_seconds_total", "CPU time, user and system.");
  on_scrape([this, &resident, &cpu] {
    resident.Set(resident_bytes());
    const double total = cpu_seconds();
    cpu.Increment(total - impl_->cpu_reported);
    impl_->cpu_reported = total;
  });
}

Metrics::~Metrics() = default;

prometheus::Counter& Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Labels(impl_->common).Register(impl_->registry).Add(labels);
}

prometheus::Gauge& Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Labels(impl_->common).Register(impl_->registry).Add(labels);
}

prometheus::Histogram& Metrics::histogram(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildHistogram().Name(name).Help(help).Labels(impl_->common).Register(impl_->registry).Add(labels, duration_buckets);
}

void Metrics::on_scrape(std::function<void()> refresh) {
  const std::lock_guard lock(impl_->mutex);
  impl_->refreshers.push_back(std::move(refresh));
}

void Metrics::answered(std::string_view service, std::string_view method, std::string_view route, int status, double duration_s) {
  const auto labels = [&] { return Labels{{"handler", std::string(service)}, {"method", std::string(method)}, {"route", std::string(route)}}; };
  std::string key;
  ((((key += service) += ' ') += method) += ' ') += route;
  prometheus::Histogram* duration;
  prometheus::Counter* count;
  {
    const std::lock_guard lock(impl_->mutex);
    auto it = impl_->routes.find(key);
    if (it == impl_->routes.end()) {
      auto& made = histogram("http_request_duration_seconds", "Time from head to end of answer.", labels());
      it = impl_->routes.emplace(key, Impl::RouteMetrics{&made, {}}).first;
    }
    duration = it->second.duration;
    auto& slot = it->second.by_status[status];
    if (!slot) {
      auto with_status = labels();
      with_status["status"] = std::to_string(status);
      slot = &counter("http_requests_total", "Requests answered.", with_status);
    }
    count = slot;
  }
  duration->Observe(duration_s);
  count->Increment();
}

std::string Metrics::text() {
  std::vector<std::function<void()>> refreshers;
  {
    const std::lock_guard lock(impl_->mutex);
    refreshers = impl_->refreshers;
  }
  const std::lock_guard one_scrape(impl_->scraping);
  for (const auto& refresh : refreshers) refresh();
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace shop

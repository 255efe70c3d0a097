// What Prometheus reads (text exposition format 0.0.4): requests by route template, and whatever a component counts.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

namespace shop {

class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  // Labels `service`, `version` and `instance` stand on every line.
  Metrics(std::string service, std::string instance);
  ~Metrics();

  // The same name and labels give the same object; it lives as long as this.
  prometheus::Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  prometheus::Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  prometheus::Histogram& histogram(const std::string& name, const std::string& help, const Labels& labels = {});  // seconds

  // Called whenever somebody scrapes, to bring gauges up to date; never twice at a time.
  void on_scrape(std::function<void()> refresh);

  void answered(std::string_view service, std::string_view method, std::string_view route, int status, double duration_s);
  prometheus::Gauge& in_flight() { return *in_flight_; }

  std::string text();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  prometheus::Gauge* in_flight_;
};

}  // namespace shop

#include "runtime/health.hpp"

#include <fmt/format.h>

#include "observe/log.hpp"

namespace shop {
namespace {

constexpr milliseconds probe_limit{1000}, fresh_enough{1000};
constexpr int patience = 3;

}  // namespace

Task<Result<HealthReport>> Health::health(net::Call& call) {
  HealthReport report{"UP", service_, {}};
  for (auto& each : dependencies_) {
    const bool up = co_await is_up(call.context, *each);
    report.dependencies[each->name] = up ? "UP" : "DOWN";
    if (!up && each->needed) report.status = "DOWN";
  }
  if (report.status != "UP") call.status = 503;
  co_return report;
}

Task<bool> Health::well(const Context& context) {
  bool all = true;
  for (auto& each : dependencies_) all = (co_await is_up(context, *each) || !each->needed) && all;
  co_return all;
}

void Health::add(std::string name, Probe probe, bool needed) {
  auto& made = *dependencies_.emplace_back(std::make_unique<Dependency>());
  made.name = std::move(name);
  made.probe = std::move(probe);
  made.needed = needed;
}

Task<bool> Health::is_up(const Context& given, Dependency& dependency) {
  const auto now = clock_.now();
  if (!dependency.needed && dependency.asked.load() > now - fresh_enough) co_return dependency.up.load();
  dependency.asked = now;
  Context context = given;
  context.deadline = std::min(context.deadline, now + probe_limit);
  const auto answer = co_await dependency.probe(context);
  dependency.failures = answer ? 0 : dependency.failures + 1;
  const bool up = answer.has_value() || (!dependency.needed && dependency.up && dependency.failures < patience);
  if (dependency.up.exchange(up) != up) {
    if (up) log(Severity::info, "health", fmt::format("{} answers again", dependency.name));
    else log(Severity::warning, "health", fmt::format("{} does not answer", dependency.name), {{"detail", answer.error().detail}});
  }
  co_return up;
}

Task<Result<HealthReport>> Health::live(net::Call&) { co_return HealthReport{"UP", service_, {}}; }

Task<Result<HealthReport>> Health::ready(net::Call& call) {
  if (ready_) co_return co_await health(call);
  call.status = 503;
  co_return HealthReport{"DOWN", service_, {}};
}

const net::RouteTable<Health>& Health::routes() {
  static const net::RouteTable<Health> table{
      {Method::get, "/health", net::anyone(), &Health::health, "Whether the service and what it depends on work", {200, 503}, {}},
      {Method::get, "/health/live", net::anyone(), &Health::live, "Whether the process answers", {200}, {}},
      {Method::get, "/health/ready", net::anyone(), &Health::ready, "Whether it takes traffic", {200, 503}, {}},
  };
  return table;
}

}  // namespace shop

namespace shop::codec {

void JsonForm<HealthReport>::write(std::string& out, const HealthReport& report) {
  out += R"({"status":")" + report.status + R"(","service":")" + report.service + '"';
  if (!report.dependencies.empty()) {
    out += R"(,"dependencies":)";
    write_json(out, report.dependencies);
  }
  out += '}';
}

json::object JsonForm<HealthReport>::schema() {
  return {{"type", "object"},
          {"properties",
           {{"status", {{"enum", {"UP", "DOWN"}}}},
            {"service", {{"type", "string"}}},
            {"dependencies", {{"type", "object"}, {"additionalProperties", {{"enum", {"UP", "DOWN"}}}}}}}},
          {"required", {"status", "service"}}};
}

}  // namespace shop::codec

#include "runtime/health.hpp"

namespace shop {
namespace {

constexpr milliseconds probe_limit{1000};

}  // namespace

Task<Result<HealthReport>> Health::health(net::Call& call) {
  HealthReport report{"UP", service_, {}};
  Context context = call.context;
  context.deadline = std::min(context.deadline, clock_.now() + probe_limit);
  for (auto& [name, probe] : probes_) {
    const bool up = static_cast<bool>(co_await probe(context));
    report.dependencies[name] = up ? "UP" : "DOWN";
    if (!up) report.status = "DOWN";
  }
  if (report.status != "UP") call.status = 503;
  co_return report;
}

Task<bool> Health::well(const Context& given) {
  Context context = given;
  context.deadline = std::min(context.deadline, clock_.now() + probe_limit);
  for (auto& [name, probe] : probes_) {
    if (!co_await probe(context)) co_return false;
  }
  co_return true;
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

// load: sends requests to one HTTP/1.1 server over kept connections, one thread, and says how long the answers took.
//
//   load --connect 127.0.0.1:3000 --requests FILE --connections 32 --seconds 10 [--rate 500] [--warm-up 2]
//
// FILE: a JSON object a line, {"method", "path", "headers"?: {}, "body"?: "text", "expect": [200]}; sent in that order, over and
// over. "{n}" in path, headers and body becomes a number that is never the same twice.
//
// With --rate the load is open: requests are due at a constant rate whether or not earlier ones were answered, and a time counts
// from when the request was due, so waiting for a slow server is not left out (G. Tene, "coordinated omission"). Without it the
// load is closed: every connection sends its next request when it has its answer.
//
// Prints one JSON object. An answer with another status than expected, or none within --timeout, is counted as unexpected.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

struct Options {
  std::string connect, requests;
  int connections = 32;
  double seconds = 10, warm_up = 2, rate = 0, timeout = 5;
  long first_number = 0;
};

struct Template {
  std::string text;  // the whole request; the length of the body is written for a number of `digits` digits
  std::vector<int> expect;
};

constexpr std::size_t digits = 12;

std::string numbered(const std::string& text, long number) {
  const auto n = fmt::format("{:0{}}", number, digits);
  std::string out;
  std::size_t from = 0;
  for (std::size_t at; (at = text.find("{n}", from)) != text.npos; from = at + 3) out.append(text, from, at - from).append(n);
  return out.append(text, from);
}

std::vector<Template> read_requests(const Options& options) {
  std::ifstream in(options.requests);
  if (!in) throw std::runtime_error(options.requests + " cannot be read.");
  std::vector<Template> all;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    const auto row = json::parse(line).as_object();
    const std::string body(row.contains("body") ? std::string_view(row.at("body").as_string()) : "");
    auto text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", std::string_view(row.at("method").as_string()),
                            std::string_view(row.at("path").as_string()), options.connect);
    if (const auto* headers = row.if_contains("headers")) {
      for (const auto& [name, value] : headers->as_object()) {
        text += fmt::format("{}: {}\r\n", std::string_view(name), std::string_view(value.as_string()));
      }
    }
    if (!body.empty()) {
      text += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", numbered(body, 0).size());
    }
    Template one{text + "\r\n" + body, {}};
    for (const auto& status : row.at("expect").as_array()) one.expect.push_back(static_cast<int>(status.as_int64()));
    all.push_back(std::move(one));
  }
  if (all.empty()) throw std::runtime_error(options.requests + " holds no request.");
  return all;
}

struct Run {
  const Options options;
  const std::vector<Template> templates;
  tcp::endpoint endpoint;
  Clock::time_point begin, counting_from, end;
  long next = 0;
  long unexpected = 0, late = 0, bare_refusals = 0;
  std::map<int, long> statuses, in_time;  // of the requests due while it counts; of the answers that came while it counts
  std::vector<std::uint32_t> times_us;
  std::string first_unexpected;

  bool counting(Clock::time_point due) const { return due >= counting_from; }
};

struct Answer {
  int status = 0;  // none could be read
  bool bare_refusal = false;  // 503 that does not say when to come again
};

asio::awaitable<Answer> answer_of(tcp::socket& socket, std::string& buffer) {
  boost::system::error_code error;
  const auto head = co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), "\r\n\r\n",
                                                    asio::redirect_error(asio::use_awaitable, error));
  if (error || buffer.size() < 12) co_return Answer{};
  int status = 0;
  std::from_chars(buffer.data() + 9, buffer.data() + 12, status);
  std::string lower(buffer, 0, head);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool bare_refusal = status == 503 && lower.find("\r\nretry-after:") == lower.npos;
  std::size_t length = 0;
  if (const auto at = lower.find("\r\ncontent-length:"); at != lower.npos) {
    auto from = at + 17;
    while (lower[from] == ' ') ++from;
    std::from_chars(lower.data() + from, lower.data() + lower.size(), length);
    if (buffer.size() < head + length) {
      co_await asio::async_read(socket, asio::dynamic_buffer(buffer), asio::transfer_exactly(head + length - buffer.size()),
                                asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return Answer{};
    }
    buffer.erase(0, head + length);
  } else if (lower.find("\r\ntransfer-encoding:") != lower.npos) {
    buffer.erase(0, head);
    const auto whole = co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), "\r\n0\r\n\r\n",
                                                       asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return Answer{};
    buffer.erase(0, whole);
  } else {
    buffer.erase(0, head);
  }
  co_return Answer{status, bare_refusal};
}

asio::awaitable<void> connection(Run& run) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor), guard(executor);
  tcp::socket socket(executor);
  std::string buffer;
  boost::system::error_code error;
  while (true) {
    const long number = run.next++;
    auto due = Clock::now();
    if (run.options.rate > 0) {
      due = run.begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(static_cast<double>(number) / run.options.rate));
      if (due >= run.end) break;
      timer.expires_at(due);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    } else if (due >= run.end) {
      break;
    }
    if (Clock::now() > run.end + std::chrono::seconds(5)) {  // hopelessly behind: what is still due was not served
      ++run.late;
      continue;
    }
    const auto& request = run.templates[static_cast<std::size_t>(number) % run.templates.size()];
    const auto text = numbered(request.text, run.options.first_number + number);
    guard.expires_after(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(run.options.timeout)));
    guard.async_wait([&socket](auto failed) {
      if (!failed) socket.close();
    });
    error.clear();
    if (!socket.is_open()) {
      buffer.clear();
      co_await socket.async_connect(run.endpoint, asio::redirect_error(asio::use_awaitable, error));
      if (!error) socket.set_option(tcp::no_delay(true), error);
    }
    if (!error) co_await asio::async_write(socket, asio::buffer(text), asio::redirect_error(asio::use_awaitable, error));
    const auto [status, bare_refusal] = error ? Answer{} : co_await answer_of(socket, buffer);
    guard.cancel();
    if (status == 0) socket.close(error);
    const auto now = Clock::now();
    if (now >= run.counting_from && now < run.end) ++run.in_time[status];
    if (!run.counting(due)) continue;
    const auto took = std::chrono::duration_cast<microseconds>(now - due).count();
    run.times_us.push_back(static_cast<std::uint32_t>(std::min<long>(took, UINT32_MAX)));
    ++run.statuses[status];
    run.bare_refusals += bare_refusal;
    if (std::ranges::find(request.expect, status) == request.expect.end()) {
      if (run.unexpected++ == 0) run.first_unexpected = fmt::format("{} to {}", status, text.substr(0, text.find('\r')));
    }
  }
}

void report(Run& run) {
  auto& times = run.times_us;
  std::ranges::sort(times);
  const auto at = [&](double share) {
    if (times.empty()) return std::int64_t(0);
    return std::int64_t(times[std::min(times.size() - 1, static_cast<std::size_t>(std::ceil(share * static_cast<double>(times.size()))) - 1)]);
  };
  const double counted = std::chrono::duration<double>(run.end - run.counting_from).count();
  if (run.late > 0 && run.first_unexpected.empty()) run.first_unexpected = "none sent: the server was more than 5 s behind";
  const auto counted_by_status = [](const std::map<int, long>& counts) {
    json::object all;
    for (const auto& [status, count] : counts) all[std::to_string(status)] = count;
    return all;
  };
  const json::object result{{"requests", times.size()},
                            {"per_second", std::round(static_cast<double>(times.size()) / counted * 10) / 10},
                            {"p50_us", at(0.5)}, {"p90_us", at(0.9)}, {"p99_us", at(0.99)}, {"p999_us", at(0.999)}, {"max_us", at(1)},
                            {"unexpected", run.unexpected + run.late}, {"first_unexpected", run.first_unexpected},
                            {"statuses", counted_by_status(run.statuses)}, {"in_time", counted_by_status(run.in_time)},
                            {"refusals_without_retry_after", run.bare_refusals}};
  std::cout << json::serialize(result) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Sends requests to an HTTP server and says how long the answers took.", "load"};
  app.add_option("--connect", options.connect, "HOST:PORT, an IPv4 address")->required();
  app.add_option("--requests", options.requests, "File of requests, a JSON object a line")->required();
  app.add_option("--connections", options.connections, "Kept connections")->check(CLI::Range(1, 10000))->capture_default_str();
  app.add_option("--seconds", options.seconds, "How long it counts")->check(CLI::Range(0.1, 7200.0))->capture_default_str();
  app.add_option("--warm-up", options.warm_up, "Seconds before that, not counted")->check(CLI::Range(0.0, 600.0))->capture_default_str();
  app.add_option("--rate", options.rate, "Requests a second; 0: as fast as answers come")->capture_default_str();
  app.add_option("--timeout", options.timeout, "Seconds that an answer may take")->capture_default_str();
  app.add_option("--first-number", options.first_number, "Where {n} begins")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    const auto colon = options.connect.rfind(':');
    if (colon == options.connect.npos) throw std::runtime_error("--connect wants HOST:PORT.");
    asio::io_context loop(1);
    Run run{.options = options, .templates = read_requests(options)};
    run.endpoint = {asio::ip::make_address(options.connect.substr(0, colon)), static_cast<std::uint16_t>(std::stoi(options.connect.substr(colon + 1)))};
    const auto span = [](double s) { return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(s)); };
    run.begin = Clock::now();
    run.counting_from = run.begin + span(options.warm_up);
    run.end = run.counting_from + span(options.seconds);
    run.times_us.reserve(1 << 20);
    for (int i = 0; i < options.connections; ++i) {
      asio::co_spawn(loop, connection(run), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
      });
    }
    loop.run();
    report(run);
  } catch (const std::exception& error) {
    std::cerr << "load: " << error.what() << '\n';
    return 1;
  }
}

#include "apps/settings.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include "base/text.hpp"

namespace shop {
namespace {

constexpr std::size_t shown_max = 100;              // of a value, in a message
constexpr std::size_t long_enough = 8;              // names for which a slip is told from another program's variable
constexpr std::uintmax_t secret_max = 1024 * 1024;  // a file that is larger is no secret

struct Declared {
  const CLI::App* app;
  CLI::Option* option;
  std::string variable;
  Format format;
  std::function<void(const std::string&)> take;
  bool is_secret;
};

std::vector<Declared>& declared() {
  static std::vector<Declared> all;
  return all;
}

CLI::Option* declare(CLI::App& app, const std::string& option, const std::string& variable, const std::string& fallback, const std::string& description,
                     Format format, std::function<void(const std::string&)> take, bool is_secret) {
  auto* made = app.add_option(option, CLI::callback_t([](const CLI::results_t&) { return true; }), description);
  made->envname(variable)->type_name(format.shown)->default_str(fallback);
  declared().push_back({&app, made, variable, std::move(format), std::move(take), is_secret});
  return made;
}

auto into(std::string& value) {
  return [&value](const std::string& text) { value = text; };
}

// Text that stays on its line; what may hold a password is left out.
std::string quoted(const std::string& value) {
  std::string shown = value.substr(0, shown_max);
  std::ranges::replace_if(shown, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return value.size() > shown_max ? shown + "…" : shown;
}

class Unusable : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

void check(const Declared& setting, const std::string& value, const std::string& name, char between) {
  const auto fault = setting.format.fault(value);
  if (fault.empty()) return;
  const bool hidden = setting.is_secret || value.find('@') != value.npos;
  throw Unusable(hidden ? fmt::format("{} {}.", name, fault) : fmt::format("{}{}{} {}.", name, between, quoted(value), fault));
}

std::string content_of(const std::string& variable, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(secret_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || !in.eof()) throw Unusable(fmt::format("{}_FILE={} cannot be read.", variable, quoted(path)));
  text.resize(static_cast<std::size_t>(in.gcount()));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

const char* variable_given(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value && *value ? value : nullptr;
}

void take_over(const Declared& setting, bool on_command_line) {
  if (setting.option->count() > 0 && on_command_line) {
    const auto value = setting.option->results().back();
    check(setting, value, setting.option->get_name(), ' ');
    return setting.take(value);
  }
  const char* value = variable_given(setting.variable);
  const char* path = variable_given(setting.variable + "_FILE");
  if (path && !setting.is_secret) {
    throw Unusable(fmt::format("{0}_FILE={1} is no setting: {0} is no secret and is not read from a file.", setting.variable, quoted(path)));
  }
  if (path && value) throw Unusable(fmt::format("{0} and {0}_FILE are both given: one of them is enough.", setting.variable));
  if (path) {
    const auto content = content_of(setting.variable, path);
    check(setting, content, fmt::format("The content of {} ({}_FILE)", quoted(path), setting.variable), ' ');
    return setting.take(content);
  }
  if (!value) return;
  check(setting, value, setting.variable, '=');
  setting.take(value);
}

std::string in_capitals(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// Whether one letter more, less, other, or two that changed places make the one of the other.
bool one_slip_apart(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > 1) return false;
  const auto from = static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  if (a.size() < b.size()) return a.substr(from) == b.substr(from + 1);
  if (from == a.size()) return true;  // in other letters only
  if (a.substr(from + 1) == b.substr(from + 1)) return true;
  return from + 1 < a.size() && a[from] == b[from + 1] && a[from + 1] == b[from] && a.substr(from + 2) == b.substr(from + 2);
}

void find_slips(const std::string& program) {
  std::vector<std::string> ours;
  for (const auto& setting : declared()) {
    ours.push_back(setting.variable);
    if (setting.is_secret) ours.push_back(setting.variable + "_FILE");
  }
  for (char** at = ::environ; *at; ++at) {
    const std::string_view entry(*at);
    const std::string given(entry.substr(0, entry.find('=')));
    if (given.size() < long_enough || std::ranges::count(ours, given) > 0) continue;
    for (const auto& meant : ours) {
      if (meant.size() < long_enough || !one_slip_apart(in_capitals(given), meant)) continue;
      throw Unusable(fmt::format("{} is no setting of {}, but {} is: give it its name, or take it out of the environment.", quoted(given), program, meant));
    }
  }
}

bool of_a_name(unsigned char c) { return std::isalnum(c) || c == '.' || c == '-' || c == '_'; }

bool host_like(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    boost::system::error_code error;
    boost::asio::ip::make_address_v6(std::string(host.substr(1, host.size() - 2)), error);
    return !error;
  }
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, of_a_name);
}

struct Split {
  std::string_view scheme, host, port;
  std::string fault;
};

// SCHEME://HOST:PORT, all but the host optional. A redis address may end with the database that is used anyway.
Split split(std::string_view address) {
  Split parts;
  auto rest = address;
  if (const auto scheme = rest.find("://"); scheme != rest.npos) {
    parts.scheme = rest.substr(0, scheme);
    rest.remove_prefix(scheme + 3);
  }
  if (rest.find('@') != rest.npos) return {.scheme = {}, .host = {}, .port = {}, .fault = "names a user or a password, which are not given so"};
  const auto slash = std::min(rest.find('/'), rest.size());
  const auto path = rest.substr(slash);
  rest = rest.substr(0, slash);
  const auto colon = rest.ends_with(']') ? rest.npos : rest.rfind(':');
  parts.host = rest.substr(0, colon);
  if (colon != rest.npos) {
    parts.port = rest.substr(colon + 1);
    const auto port = whole_number(parts.port);
    if (!port || *port < 1 || *port > 65535) parts.fault = "names no port from 1 to 65535";
  }
  if (!host_like(parts.host)) parts.fault = "names no host";
  if (!path.empty() && path != "/" && !(path == "/0" && parts.scheme == "redis")) parts.fault = "names a path, which is not used";
  return parts;
}

std::string listed(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, ", ")); }

}  // namespace

namespace format {

Format text() {
  return {"TEXT", [](const std::string& value) -> std::string {
            return std::ranges::any_of(value, [](unsigned char c) { return c < 0x20 || c == 0x7f; }) ? "is not on one line" : "";
          }};
}

Format name() {
  return {"NAME", [](const std::string& value) -> std::string {
            return value.size() <= 100 && std::ranges::all_of(value, of_a_name) ? "" : "is no name of at most 100 letters, digits, '.', '-' and '_'";
          }};
}

Format whole(std::int64_t least, std::int64_t most) {
  return {fmt::format("{}..{}", least, most), [least, most](const std::string& value) -> std::string {
            const auto number = whole_number(value);
            return number && *number >= least && *number <= most ? "" : fmt::format("is not a whole number from {} to {}", least, most);
          }};
}

Format yes_or_no() {
  return {"true|false", [](const std::string& value) -> std::string { return value == "true" || value == "false" ? "" : "is neither true nor false"; }};
}

Format one_of(std::vector<std::string> words) {
  auto shown = fmt::format("{}", fmt::join(words, "|"));
  return {std::move(shown), [words = std::move(words)](const std::string& value) -> std::string {
            return std::ranges::count(words, value) > 0 ? "" : fmt::format("is none of {}", listed(words));
          }};
}

Format ip_address() {
  return {"IP", [](const std::string& value) -> std::string {
            boost::system::error_code error;
            boost::asio::ip::make_address(value, error);
            return error ? "is no IP address" : "";
          }};
}

Format host() {
  return {"HOST", [](const std::string& value) -> std::string {
            boost::system::error_code error;
            boost::asio::ip::make_address(value, error);
            return value.empty() || !error || host_like(value) ? "" : "is neither a host's name nor an IP address";
          }};
}

Format address(std::vector<std::string> schemes) {
  return {"HOST:PORT", [schemes = std::move(schemes)](const std::string& value) -> std::string {
            if (value.empty()) return {};
            const auto parts = split(value);
            if (!parts.fault.empty()) return parts.fault;
            if (parts.scheme.empty() && value.find("://") == value.npos) return {};
            return std::ranges::count(schemes, parts.scheme) > 0 ? std::string() : fmt::format("has a scheme other than {}", listed(schemes));
          }};
}

Format addresses() {
  return {"HOST:PORT,…", [](const std::string& value) -> std::string {
            for (const auto& one : entries_of(value)) {
              if (auto fault = split(one).fault; !fault.empty()) return fault;
              if (one.find("://") != one.npos) return "is not HOST:PORT,HOST:PORT";
            }
            return {};
          }};
}

Format web_address() {
  return {"URL", [](const std::string& value) -> std::string {
            if (value.empty()) return {};
            const auto scheme = value.find("://");
            const bool web = value.starts_with("http://") || value.starts_with("https://");
            if (!web || std::ranges::any_of(value, [](unsigned char c) { return c <= 0x20 || c == 0x7f || c == '"' || c == '<' || c == '>'; })) {
              return "is no http:// or https:// address";
            }
            const auto end = std::min(value.find('/', scheme + 3), value.size());
            return split(std::string_view(value).substr(0, end)).fault;
          }};
}

Format origins() {
  return {"ORIGIN,…", [](const std::string& value) -> std::string {
            if (value == "*") return {};
            const auto origin = [](const std::string& one) {
              return one == "null" || (!one.empty() && web_address().fault(one).empty() && one.find('/', one.find("://") + 3) == one.npos);
            };
            const auto all = entries_of(value);
            return !all.empty() && std::ranges::all_of(all, origin) ? "" : "is neither * nor a list of origins such as https://shop.example.org";
          }};
}

Format ip_addresses() {
  return {"IP,…", [](const std::string& value) -> std::string {
            const auto is_address = [](const std::string& one) { return ip_address().fault(one).empty(); };
            return std::ranges::all_of(entries_of(value), is_address) ? "" : "is no list of IP addresses";
          }};
}

}  // namespace format

std::vector<std::string> entries_of(std::string_view list) {
  std::vector<std::string> entries;
  for (std::size_t at = 0; !list.empty() && at <= list.size();) {
    const auto end = std::min(list.find(',', at), list.size());
    entries.emplace_back(trimmed(list.substr(at, end - at)));
    at = end + 1;
  }
  return entries;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

CLI::Option* setting(CLI::App& app, const std::string& option, const std::string& variable, const std::string& fallback, const std::string& description,
                     Format format, std::function<void(const std::string&)> take) {
  return declare(app, option, variable, fallback, description, std::move(format), std::move(take), false);
}

CLI::Option* setting(CLI::App& app, const std::string& option, const std::string& variable, std::string& value, const std::string& description, Format format) {
  return declare(app, option, variable, value, description, std::move(format), into(value), false);
}

CLI::Option* setting(CLI::App& app, const std::string& option, const std::string& variable, bool& value, const std::string& description) {
  return declare(app, option, variable, value ? "true" : "false", description, format::yes_or_no(), [&value](const auto& text) { value = text == "true"; },
                 false);
}

CLI::Option* setting(CLI::App& app, const std::string& option, const std::string& variable, LogLevel& value, const std::string& description) {
  static const std::vector<std::pair<std::string, LogLevel>> levels{
      {"debug", LogLevel::debug}, {"info", LogLevel::info}, {"warning", LogLevel::warning}, {"error", LogLevel::error}, {"off", LogLevel::off}};
  std::vector<std::string> words;
  for (const auto& level : levels) words.push_back(level.first);
  const auto fallback = std::ranges::find(levels, value, &std::pair<std::string, LogLevel>::second)->first;
  return declare(app, option, variable, fallback, description, format::one_of(words),
                 [&value](const auto& text) { value = std::ranges::find(levels, text, &std::pair<std::string, LogLevel>::first)->second; }, false);
}

CLI::Option* secret(CLI::App& app, const std::string& option, const std::string& variable, std::string& value, const std::string& description, Format format) {
  return declare(app, option, variable, value, fmt::format("{} (also {}_FILE)", description, variable), std::move(format), into(value), true);
}

int parse_settings(CLI::App& app, int argc, char** argv) {
  std::string sentence;
  try {
    app.parse(argc, argv);
    find_slips(app.get_name());
    const auto& given = app.parse_order();
    for (const auto& setting : declared()) {
      if (setting.app != &app && !setting.app->parsed()) continue;  // a command that is not wanted
      const auto& order = setting.app == &app ? given : setting.app->parse_order();
      take_over(setting, std::ranges::count(order, setting.option) > 0);
    }
    return -1;
  } catch (const CLI::Success& wanted) {
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    sentence = error.what();
  } catch (const Unusable& error) {
    sentence = error.what();
  }
  if (!sentence.ends_with('.')) sentence += '.';
  fmt::print(stderr, "{}: {}\n", app.get_name(), sentence);
  return 2;
}

net::Endpoint endpoint_of(const std::string& address, std::uint16_t default_port, std::string_view variable) {
  const auto parts = split(address);
  if (!parts.fault.empty()) throw std::runtime_error(fmt::format("{}={} {}.", variable, quoted(address), parts.fault));
  auto host = parts.host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const auto port = parts.port.empty() ? default_port : static_cast<std::uint16_t>(*whole_number(parts.port));
  return {.host = std::string(host), .port = port, .unix_socket = {}};
}

std::string variable_of_peer(std::string_view service) {  // "product-service" -> "PRODUCT_SERVICE_URL"
  std::string name;
  for (char c : service) name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name + "_URL";
}

void TlsSettings::declare(CLI::App& app) {
  setting(app, "--tls-cert-file", "TLS_CERT_FILE", certificate, "Certificate of this service, PEM: services know each other by it (mutual TLS)");
  setting(app, "--tls-key-file", "TLS_KEY_FILE", key, "Its key, PEM");
  setting(app, "--tls-ca-file", "TLS_CA_FILE", authority, "Certificate of the CA that has signed those of all services, PEM");
}

std::unique_ptr<net::Tls> TlsSettings::open(const std::string& service) const {
  if (!given()) return nullptr;
  for (const auto& [value, variable] : {std::pair(&certificate, "TLS_CERT_FILE"), {&key, "TLS_KEY_FILE"}, {&authority, "TLS_CA_FILE"}}) {
    if (value->empty()) throw std::runtime_error(fmt::format("{} is missing: TLS_CERT_FILE, TLS_KEY_FILE and TLS_CA_FILE belong together.", variable));
  }
  return std::make_unique<net::Tls>(net::TlsFiles{certificate, key, authority}, service);
}

}  // namespace shop

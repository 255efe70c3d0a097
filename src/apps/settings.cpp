#include "apps/settings.hpp"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

namespace shop {
namespace {

struct Secret {
  std::string variable;
  std::string* value;
};

std::vector<Secret>& secrets() {
  static std::vector<Secret> declared;
  return declared;
}

}  // namespace

CLI::Option* setting(CLI::App& app, const std::string& option, const std::string& variable, std::string& value, const std::string& description) {
  return app.add_option(option, value, description)->envname(variable);
}

void secret(CLI::App& app, const std::string& option, const std::string& variable, std::string& value, const std::string& description) {
  setting(app, option, variable, value, fmt::format("{} (also {}_FILE)", description, variable));
  secrets().push_back({variable, &value});
}

void read_secret_files() {
  for (const auto& [variable, value] : secrets()) {
    const char* path = std::getenv((variable + "_FILE").c_str());
    if (!path || !value->empty()) continue;
    std::ifstream in(path);
    std::ostringstream content;
    content << in.rdbuf();
    if (!in) throw std::runtime_error(fmt::format("{}_FILE names {}, which cannot be read.", variable, path));
    *value = content.str();
    while (!value->empty() && (value->back() == '\n' || value->back() == '\r')) value->pop_back();
  }
}

// "http://host:port" or "host:port".
net::Endpoint endpoint_of(const std::string& address, std::uint16_t default_port, std::string_view variable) {
  std::string_view rest = address;
  if (const auto scheme = rest.find("://"); scheme != rest.npos) {
    if (rest.substr(0, scheme) != "http" && rest.substr(0, scheme) != "redis" && rest.substr(0, scheme) != "tcp") {
      throw std::runtime_error(fmt::format("{}={} has an unknown scheme.", variable, address));
    }
    rest.remove_prefix(scheme + 3);
  }
  rest = rest.substr(0, rest.find('/'));
  const auto colon = rest.rfind(':');
  net::Endpoint endpoint{.host = std::string(rest.substr(0, colon)), .port = default_port, .unix_socket = {}};
  if (colon != rest.npos) {
    unsigned port = 0;
    const auto text = rest.substr(colon + 1);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || port == 0 || port > 65535) {
      throw std::runtime_error(fmt::format("{}={} names no port.", variable, address));
    }
    endpoint.port = static_cast<std::uint16_t>(port);
  }
  if (endpoint.host.empty()) throw std::runtime_error(fmt::format("{}={} names no host.", variable, address));
  return endpoint;
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

int parse_settings(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return -1;
}

}  // namespace shop

// The settings of a program: command-line options that are also environment variables, secrets also as NAME_FILE.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "net/client.hpp"
#include "net/tls.hpp"

namespace shop {

// An option "--database-url" that is also DATABASE_URL.
CLI::Option* setting(CLI::App& app, const std::string& option, const std::string& variable, std::string& value, const std::string& description);

// The same, also from the file that VARIABLE_FILE names; a trailing newline is dropped.
void secret(CLI::App& app, const std::string& option, const std::string& variable, std::string& value, const std::string& description);

// Reads what secret() declared from files. Throws std::runtime_error when a file cannot be read.
void read_secret_files();

// "http://host:port" or "host:port". Throws std::runtime_error with a sentence that names the variable.
net::Endpoint endpoint_of(const std::string& address, std::uint16_t default_port, std::string_view variable);

std::string variable_of_peer(std::string_view service);  // "product-service" -> "PRODUCT_SERVICE_URL"

// The files of mutual TLS: all three, or none.
struct TlsSettings {
  std::string certificate, key, authority;

  void declare(CLI::App& app);
  bool given() const { return !certificate.empty() || !key.empty() || !authority.empty(); }
  std::unique_ptr<net::Tls> open(const std::string& service) const;  // nothing when not given; throws std::runtime_error
};

// Parses; the exit code to end with, or -1 to go on. --help and --version end with 0, anything unknown or unparsable with 2.
int parse_settings(CLI::App& app, int argc, char** argv);

}  // namespace shop

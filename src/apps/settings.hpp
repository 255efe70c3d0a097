// The settings of a program: command-line options that are also environment variables, secrets also as NAME_FILE (docs/settings.md).
// What cannot be read stops the start with one sentence that names the setting as it was given.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "net/client.hpp"
#include "net/tls.hpp"
#include "observe/log.hpp"

namespace shop {

inline constexpr std::int64_t limit_max = 1'000'000'000;  // of what is counted a minute

// What the text of a setting must look like.
struct Format {
  std::string shown;                                    // in --help: "1..64"
  std::function<std::string(const std::string&)> fault;  // nothing when it is good, otherwise how the sentence about it ends: "is not …"
};

namespace format {

Format text();                                               // anything on one line
Format name();                                               // letters, digits, '.', '-' and '_'
Format whole(std::int64_t least, std::int64_t most);         // decimal, nothing around it
Format yes_or_no();                                          // true or false
Format one_of(std::vector<std::string> words);
Format ip_address();
Format host();                                               // a name or an address, no port
Format address(std::vector<std::string> schemes);            // HOST:PORT, behind one of these or nothing; nothing behind it
Format addresses();                                          // HOST:PORT, and further ones behind commas
Format web_address();                                        // http://… or https://…
Format origins();                                            // web addresses without path, behind commas, or *
Format ip_addresses();                                       // behind commas

}  // namespace format

// What stands between the commas of a list, without the blanks around it; of "" nothing.
std::vector<std::string> entries_of(std::string_view list);

// The number that the whole text is.
std::optional<std::int64_t> whole_number(std::string_view text);

// An option "--database-url" that is also DATABASE_URL. An empty variable is one that is not given.
CLI::Option* setting(CLI::App& app, const std::string& option, const std::string& variable, std::string& value, const std::string& description,
                     Format format = format::text());
CLI::Option* setting(CLI::App& app, const std::string& option, const std::string& variable, bool& value, const std::string& description);
CLI::Option* setting(CLI::App& app, const std::string& option, const std::string& variable, LogLevel& value, const std::string& description);
CLI::Option* setting(CLI::App& app, const std::string& option, const std::string& variable, const std::string& fallback, const std::string& description,
                     Format format, std::function<void(const std::string&)> take);

template <std::integral T>
CLI::Option* setting(CLI::App& app, const std::string& option, const std::string& variable, T& value, const std::string& description, std::int64_t least,
                     std::int64_t most) {
  return setting(app, option, variable, std::to_string(value), description, format::whole(least, most),
                 [&value](const std::string& text) { value = static_cast<T>(*whole_number(text)); });
}

// The same, also from the file that VARIABLE_FILE names; a trailing newline is dropped. No message repeats it.
CLI::Option* secret(CLI::App& app, const std::string& option, const std::string& variable, std::string& value, const std::string& description,
                    Format format = format::text());

// Parses, checks and takes over; the exit code to end with, or -1 to go on. --help and --version end with 0, what is unknown or cannot
// be read with 2, and a sentence on stderr. To that belong a variable that is one of ours but for a slip, and two ways to one secret.
int parse_settings(CLI::App& app, int argc, char** argv);

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

}  // namespace shop

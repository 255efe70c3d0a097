#include "apps/shopctl/certs_command.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "adapters/system/system.hpp"
#include "net/certificates.hpp"
#include "runtime/edge.hpp"
#include "services/gateway/domain.hpp"

namespace shop {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::days authority_days{3650};
constexpr minutes clocks_differ{5};

[[noreturn]] void give_up(const std::string& path) { throw std::runtime_error(fmt::format("{} cannot be written: {}.", path, std::strerror(errno))); }

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  if (!in) throw std::runtime_error(fmt::format("{} cannot be read.", path.string()));
  return out.str();
}

// Whole or not at all, and never readable for others.
void write_secret(const fs::path& path, std::string_view text) {
  const auto part = path.string() + ".part";
  ::unlink(part.c_str());
  const int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) give_up(part);
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!written || ::rename(part.c_str(), path.c_str()) != 0) {
    const int why = errno;
    ::unlink(part.c_str());
    errno = why;
    give_up(path);
  }
}

net::Validity lasting(Instant now, milliseconds duration) { return {now - clocks_differ, now + duration}; }

template <class T>
T wanted(Result<T> made) {
  if (!made) throw std::runtime_error(made.error().detail.empty() ? made.error().message : fmt::format("{} ({})", made.error().message, made.error().detail));
  return std::move(*made);
}

net::Certified authority_in(const fs::path& folder, Instant now) {
  const auto certificate = folder / "ca.pem", key = folder / "ca-key.pem";
  const bool certified = fs::exists(certificate), keyed = fs::exists(key);
  if (certified && keyed) return {contents(certificate), contents(key)};
  // Another CA would make strangers of all who trust this one.
  if (certified) throw std::runtime_error(fmt::format("{} is there, but not its key {}: bring it back, or take both away for a new CA.",
                                                      certificate.string(), key.string()));
  auto made = wanted(net::make_authority(lasting(now, authority_days)));
  write_secret(key, made.key);
  write_secret(certificate, made.certificate);
  fmt::print("{}: a new CA, for 10 years.\n", certificate.string());
  return made;
}

}  // namespace

void CertsCommand::declare(CLI::App& app) {
  app.add_option("--dir", folder, "Folder of the files: ca.pem, ca-key.pem, NAME.pem, NAME-key.pem")->required();
  app.add_option("--days", days, "How long the services' certificates are good")
      ->check(CLI::Range(1, 825).description(""))->type_name("1..825")->capture_default_str();
  app.add_option("SERVICE", services, "Whose; default: every service and shopctl");
}

int run_certs(const CertsCommand& command) {
  const fs::path folder(command.folder);
  std::error_code error;
  if (fs::create_directories(folder, error)) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) throw std::runtime_error(fmt::format("{} cannot be used: {}.", folder.string(), error.message()));

  SystemClock clock;
  const auto now = clock.wall();
  std::vector<std::string> names = command.services;
  if (names.empty()) {
    names = gateway::built_services();
    names.insert(names.end(), {std::string(gateway_name), "shopctl"});
  }
  const auto authority = authority_in(folder, now);
  std::vector<net::Certified> made;  // all of them before the first file changes
  for (const auto& name : names) made.push_back(wanted(net::issue_certificate(authority, name, lasting(now, std::chrono::days(command.days)))));
  for (std::size_t i = 0; i < names.size(); ++i) {
    write_secret(folder / (names[i] + "-key.pem"), made[i].key);
    write_secret(folder / (names[i] + ".pem"), made[i].certificate);
    fmt::print("{}: good for {} days.\n", (folder / (names[i] + ".pem")).string(), command.days);
  }
  return 0;
}

}  // namespace shop

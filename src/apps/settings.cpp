#include "apps/settings.hpp"

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

int parse_settings(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return -1;
}

}  // namespace shop

// shopctl certs: a CA, and a certificate with its key for every service (docs/run-book.md, "Mutual TLS").
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace shop {

struct CertsCommand {
  std::string folder;
  int days = 7;
  std::vector<std::string> services;

  void declare(CLI::App& app);
};

// Makes the CA when there is none yet, and new certificates under it every time. Throws std::runtime_error with a sentence.
int run_certs(const CertsCommand& command);

}  // namespace shop

#include <fstream>
#include <sstream>

#include "apps/service_process.hpp"
#include "services/auth/module.hpp"

namespace {

using namespace shop;

std::unique_ptr<Service> make(ProcessResources& resources) {
  auth::Settings settings;
  settings.private_key_pem = resources.text("JWT_PRIVATE_KEY");
  settings.token_lifetime = seconds(resources.number("JWT_EXPIRES_IN"));
  settings.registrations.most = resources.number("REGISTRATIONS_PER_MINUTE");
  settings.logins.most = resources.number("LOGINS_PER_MINUTE");
  settings.login_failures.most = resources.number("LOGIN_FAILURES_PER_MINUTE");
  return std::make_unique<auth::AuthModule>(resources.world(), settings, resources.database(), resources.key_values(), resources.hasher());
}

}  // namespace

int main(int argc, char** argv) {
  return shop::run_service(argc, argv,
                           {.name = "auth-service",
                            .port = 3001,
                            .description = "identities, tokens, roles",
                            .uses_database = true,
                            .uses_key_values = true,
                            .uses_events = true,
                            .callers = {"api-gateway", "product-service", "cart-service", "search-service", "order-service", "shopctl"},
                            .settings = {{"--jwt-private-key", "JWT_PRIVATE_KEY", "Key that signs tokens, PEM; empty: made and kept in the store", "", true},
                                         {"--jwt-expires-in", "JWT_EXPIRES_IN", "Lifetime of a token in seconds", "3600"},
                                         {"--registrations-per-minute", "REGISTRATIONS_PER_MINUTE", "Accounts registered from one address", "120"},
                                         {"--logins-per-minute", "LOGINS_PER_MINUTE", "Logins that succeed, from one address", "1200"},
                                         {"--login-failures-per-minute", "LOGIN_FAILURES_PER_MINUTE", "Logins that fail, on one account and address", "50"}},
                            .make = make});
}

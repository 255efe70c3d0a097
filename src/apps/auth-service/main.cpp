#include <fstream>
#include <sstream>

#include "apps/service_process.hpp"
#include "runtime/tokens.hpp"
#include "services/auth/module.hpp"

namespace {

using namespace shop;

const Format a_minute = format::whole(1, limit_max);

std::unique_ptr<Service> make(ProcessResources& resources) {
  auth::Settings settings;
  settings.private_key_pem = resources.text("JWT_PRIVATE_KEY");
  settings.token_lifetime = seconds(resources.number("JWT_EXPIRES_IN"));
  settings.registrations.most = resources.number("REGISTRATIONS_PER_MINUTE");
  settings.logins.most = resources.number("LOGINS_PER_MINUTE");
  settings.login_failures.most = resources.number("LOGIN_FAILURES_PER_MINUTE");
  return std::make_unique<auth::AuthModule>(resources.world(), settings, resources.database(), resources.key_values(), resources.hasher());
}

Format signing_key() {
  return {"PEM", [](const std::string& text) -> std::string {
            return text.empty() || SigningKey::from_pem(text) ? "" : "is not the private key of an EC pair on P-256, as PEM";
          }};
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
                            .settings = {{"--jwt-private-key", "JWT_PRIVATE_KEY", "Key that signs tokens, PEM; empty: made and kept in the store", "",
                                          signing_key(), true},
                                         {"--jwt-expires-in", "JWT_EXPIRES_IN", "Lifetime of a token in seconds", "3600", format::whole(1, 31'536'000)},
                                         {"--registrations-per-minute", "REGISTRATIONS_PER_MINUTE", "Accounts registered from one address", "120", a_minute},
                                         {"--logins-per-minute", "LOGINS_PER_MINUTE", "Logins that succeed, from one address", "1200", a_minute},
                                         {"--login-failures-per-minute", "LOGIN_FAILURES_PER_MINUTE", "Logins that fail, on one account and address", "50",
                                          a_minute}},
                            .make = make});
}

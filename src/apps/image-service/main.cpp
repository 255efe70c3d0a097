#include "apps/service_process.hpp"
#include "services/image/module.hpp"

namespace {

using namespace shop;

const Format a_minute = format::whole(1, limit_max);

std::unique_ptr<Service> make(ProcessResources& resources) {
  image::Settings settings;
  settings.base_url = resources.text("IMAGE_BASE_URL");
  settings.uploads.most = resources.number("UPLOADS_PER_MINUTE");
  settings.attempts.most = resources.number("UPLOAD_ATTEMPTS_PER_MINUTE");
  return std::make_unique<image::ImageModule>(resources.world(), settings, resources.blobs(), resources.workers(), resources.key_values());
}

}  // namespace

int main(int argc, char** argv) {
  return shop::run_service(argc, argv,
                           {.name = "image-service",
                            .port = 3004,
                            .description = "pictures",
                            .uses_key_values = true,
                            .uses_blobs = true,
                            .key_values_optional = true,
                            .callers = {"api-gateway", "product-service", "shopctl"},
                            .operators = {"product-service"},  // the demo data, brought in through it
                            .settings = {{"--image-base-url", "IMAGE_BASE_URL", "Address under which clients reach /images", "http://localhost:3000",
                                          format::web_address()},
                                         {"--uploads-per-minute", "UPLOADS_PER_MINUTE", "Pictures stored from one address", "50", a_minute},
                                         {"--upload-attempts-per-minute", "UPLOAD_ATTEMPTS_PER_MINUTE", "Anything sent from one address", "300", a_minute}},
                            .make = make});
}

#include "apps/demo/demo.hpp"
#include "apps/service_process.hpp"
#include "services/product/module.hpp"

namespace {

using namespace shop;

struct Total {
  std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(Total, (), (total))

struct Page {
  Total pagination;
};
BOOST_DESCRIBE_STRUCT(Page, (), (pagination))

// The catalogue, and the demo data for whoever wants them: POST /products/bulk, and SEED_DEMO_DATA for an empty shop.
class ProductProcess final : public Service {
 public:
  explicit ProductProcess(ProcessResources& resources)
      : database_(resources.database()),
        clock_(resources.world().clock),
        caller_(resources.operator_caller()),
        holder_(resources.world().random.uuid4().text()),
        module_(resources.world(), {.catalogue = {.shared = true}, .stock = {}}, database_),
        demo_(caller_, clock_),
        seeds_(resources.flag("SEED_DEMO_DATA")),
        seeding_(clock_, {.name = "demo data", .period = hours(24), .step_limit = seconds(120)},
                 [this](const Context& context) { return seed(context); }) {
    module_.carry_demo(demo_);
  }

  net::Router& router() override { return module_.router(); }
  Health& health() override { return module_.health(); }
  Task<Result<void>> prepare(const Context& context) override { return module_.prepare(context); }
  std::vector<Loop*> loops() override {
    auto loops = module_.loops();
    if (seeds_) loops.push_back(&seeding_);
    return loops;
  }

 private:
  // One replica at a time, and only while there is no product: what the operator deletes later stays deleted.
  Task<Result<bool>> seed(const Context& context) {
    const auto now = clock_.wall();
    CO_TRY(const bool mine, co_await take_lease(database_, context, "demo", holder_, now, now + minutes(2)));
    if (!mine) co_return false;
    const Peer products(caller_, "product-service");
    CO_TRY(const auto page, co_await products.get<Page>(context, "/?limit=1"));
    if (page.pagination.total > 0) co_return false;
    CO_CHECK(co_await create_demo_accounts(caller_, context));
    CO_CHECK(co_await load_demo(caller_, clock_, context));
    co_return false;
  }

  Database& database_;
  Clock& clock_;
  ServiceCaller& caller_;
  const std::string holder_;
  product::ProductModule module_;
  BuiltInDemo demo_;
  const bool seeds_;
  Loop seeding_;
};

}  // namespace

int main(int argc, char** argv) {
  return shop::run_service(argc, argv,
                           {.name = "product-service",
                            .port = 3003,
                            .description = "catalogue and stock",
                            .uses_database = true,
                            .uses_events = true,
                            .peers = {"auth-service", "order-service", "image-service", "product-service"},
                            .callers = {"api-gateway", "product-service", "cart-service", "search-service", "order-service", "shopctl"},
                            .operators = {"product-service"},  // the demo data, brought in through it
                            .slashes_below = "/sku/",
                            .settings = {{"--seed-demo-data", "SEED_DEMO_DATA", "true: an empty shop gets the demo catalogue and accounts", "false",
                                          shop::format::yes_or_no()}},
                            .make = [](shop::ProcessResources& resources) { return std::make_unique<ProductProcess>(resources); }});
}

// ServiceDirectory on Consul: registration as the contract says, a view that blocking queries keep, and what remains of it
// while Consul is away.
#include "adapters/consul/consul.hpp"

#include "codec/json_reader.hpp"
#include "contract/cutting_proxy.hpp"
#include "net/client.hpp"
#include "net/server.hpp"
#include "runtime/loop.hpp"
#include "runtime/task_group.hpp"

namespace shop::contract {
namespace {

class Watcher {
 public:
  Watcher(const Address& agent, std::vector<std::string> services, const ConsulOptions& self = {})
      : directory_(options(agent, std::move(services), self), pool_, stage().clock) {
    for (auto& work : directory_.background()) run(work.name, work.step);
    if (!self.instance.empty()) run("registration", [this](const Context& context) { return directory_.stay_registered(context, is_well); });
  }
  ~Watcher() {
    const Elapsed elapsed;
    for (auto& loop : loops_) loop->stop();
    pool_.cut();
    EXPECT_TRUE(group_.wait(std::chrono::steady_clock::now() + seconds(5)));
    EXPECT_LT(elapsed.time(), milliseconds(1000)) << "a long question held up the stop";
    threads_.stop();  // before the pool goes, whose connections live on them
  }

  static Task<bool> is_well(const Context&) { co_return true; }

  void run(std::string name, Loop::Step step) {
    loops_.push_back(std::make_unique<Loop>(stage().clock, LoopOptions{.name = std::move(name), .period = milliseconds(300), .backoff_max = milliseconds(300)},
                                            std::move(step)));
    group_.spawn(threads_.first(), loops_.back()->run());
  }

  ConsulDirectory& directory() { return directory_; }
  std::size_t count(const std::string& service) const { return directory_.instances(service)->size(); }

 private:
  static ConsulOptions options(const Address& agent, std::vector<std::string> services, ConsulOptions self) {
    self.host = agent.host;
    self.port = agent.port;
    self.watch = std::move(services);
    return self;
  }

  net::IoThreads threads_{1};
  net::ClientPool pool_;
  ConsulDirectory directory_;
  std::vector<std::unique_ptr<Loop>> loops_;
  TaskGroup group_;
};

Task<bool> answer(bool well) { co_return well; }

// What the agent's checks ask.
struct Healthy final : net::Handler {
  Task<> serve(net::Exchange& exchange) override {
    Response response;
    co_await exchange.send(std::move(response));
  }
};

class Consul : public testing::Test {
 protected:
  Consul() : agent(required("SHOP_TEST_CONSUL")), service(fresh_name("service")) {}
  ~Consul() override { threads.stop(); }

  template <class T>
  T await(Task<T> task) {
    return await_on(threads.first(), std::move(task));
  }

  ConsulOptions self(int number) const {
    return {.service = service,
            .instance = fmt::format("{}-{}", service, number),
            .address = "127.0.0.1",
            .environment = "test",
            .version = fmt::format("v{}", number),
            .service_port = server.port()};
  }

  std::unique_ptr<ConsulDirectory> instance(int number, const Address& where) {
    auto options = self(number);
    options.host = where.host;
    options.port = where.port;
    return std::make_unique<ConsulDirectory>(std::move(options), pool, stage().clock);
  }

  boost::json::value ask(Method method, const std::string& target, std::string body = {}) {
    const auto answer = await(pool.send(within(milliseconds(5000)), {agent.host, agent.port, {}}, Request{method, target, {}, std::move(body), {}}));
    if (!answer || answer->status != 200) return nullptr;
    return answer->text().empty() ? boost::json::value(true) : boost::json::parse(answer->text());
  }

  const Address agent;
  const std::string service;
  net::IoThreads threads{1};
  net::ClientPool pool;
  Healthy healthy;
  net::Server server{threads, {}, healthy};
};

TEST_F(Consul, RegistersAsTheContractSays) {
  const auto one = instance(1, agent);
  const auto announced = await(one->announce(within(milliseconds(5000))));
  ASSERT_TRUE(announced) << why(announced);
  const auto found = ask(Method::get, "/v1/agent/service/" + service + "-1");
  ASSERT_TRUE(found.is_object());
  EXPECT_EQ(found.at("Service").as_string(), service);
  EXPECT_EQ(found.at("Address").as_string(), "127.0.0.1");
  EXPECT_EQ(found.at("Port").as_int64(), server.port());
  EXPECT_EQ(found.at("Tags"), (boost::json::array{service, "env:test", "version:v1"}));
  const auto checks = ask(Method::get, "/v1/agent/checks");
  const auto& check = checks.at("service:" + service + "-1");
  EXPECT_EQ(check.at("Interval").as_string(), "10s");
  EXPECT_EQ(check.at("Timeout").as_string(), "5s");
  ASSERT_TRUE(await(one->withdraw(within(milliseconds(5000)))));
  EXPECT_TRUE(ask(Method::get, "/v1/agent/service/" + service + "-1").is_null());
  ASSERT_TRUE(await(one->announce(within(milliseconds(5000))))) << "a late retry of the registration";
  EXPECT_TRUE(ask(Method::get, "/v1/agent/service/" + service + "-1").is_null()) << "it came back after it had said goodbye";
}

TEST_F(Consul, TheViewFollowsWithinASecond) {
  Watcher watcher(agent, {service});
  EXPECT_EQ(watcher.count(service), 0U);
  EXPECT_EQ(watcher.count("never-asked-for"), 0U);
  const auto one = instance(1, agent), two = instance(2, agent);
  std::this_thread::sleep_for(milliseconds(300));  // its first question waits at the agent by now
  for (const auto* each : {&one, &two}) {
    const auto before = watcher.count(service);
    ASSERT_TRUE(await((*each)->announce(within(milliseconds(5000)))));
    EXPECT_TRUE(eventually(milliseconds(1500), [&] { return watcher.count(service) == before + 1; }));
  }
  const auto view = watcher.directory().instances(service);
  for (const auto& each : *view) {
    EXPECT_EQ(each.host, "127.0.0.1");
    EXPECT_EQ(each.port, server.port());
    EXPECT_EQ(each.version, each.id == service + "-1" ? "v1" : "v2");
    EXPECT_EQ(each.weight, 100U);
  }
  ASSERT_TRUE(await(one->withdraw(within(milliseconds(5000)))));
  EXPECT_TRUE(eventually(milliseconds(1500), [&] { return watcher.count(service) == 1; }));
  ASSERT_TRUE(await(two->withdraw(within(milliseconds(5000)))));
  EXPECT_TRUE(eventually(milliseconds(1500), [&] { return watcher.count(service) == 0; }));
}

TEST_F(Consul, ASickInstanceLeavesTheView) {
  Watcher watcher(agent, {service});
  auto options = self(1);
  options.host = agent.host;
  options.port = agent.port;
  options.service_port = 1;
  const auto one = std::make_unique<ConsulDirectory>(std::move(options), pool, stage().clock);
  ASSERT_TRUE(await(one->announce(within(milliseconds(5000)))));
  // Nothing listens on its port: the agent finds out at its first look, within the interval of 10 s.
  EXPECT_TRUE(eventually(milliseconds(14'000), [&] { return watcher.count(service) == 0; }));
  (void)await(one->withdraw(within(milliseconds(5000))));
}

TEST_F(Consul, WeightsChangeAtRunTime) {
  const auto one = instance(1, agent), two = instance(2, agent);
  for (const auto* each : {&one, &two}) ASSERT_TRUE(await((*each)->announce(within(milliseconds(5000)))));
  Watcher watcher(agent, {service});
  const auto weights = [&] {
    std::map<std::string, std::uint32_t> all;
    for (const auto& each : *watcher.directory().instances(service)) all[each.version] = each.weight;
    return all;
  };
  using Weights = std::map<std::string, std::uint32_t>;
  ASSERT_TRUE(eventually(milliseconds(3000), [&] { return weights() == Weights{{"v1", 100}, {"v2", 100}}; }));
  const auto put = [&](const std::string& text) { return ask(Method::put, "/v1/kv/shop/weights", text) == true; };
  ASSERT_TRUE(put(fmt::format(R"({{"{}:v2": 10}})", service)));
  EXPECT_TRUE(eventually(milliseconds(1500), [&] { return weights() == Weights{{"v1", 100}, {"v2", 10}}; }));
  ASSERT_TRUE(put(fmt::format(R"({{"{}:v2": 10, "{}-2": 0, "{}-1": 5000}})", service, service, service)));
  EXPECT_TRUE(eventually(milliseconds(1500), [&] { return weights() == Weights{{"v1", 1000}, {"v2", 0}}; }));
  ASSERT_TRUE(put("this is no JSON"));
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_EQ(weights(), (Weights{{"v1", 1000}, {"v2", 0}})) << "rubbish changed something";
  (void)ask(Method::del, "/v1/kv/shop/weights");
  EXPECT_TRUE(eventually(milliseconds(1500), [&] { return weights() == Weights{{"v1", 100}, {"v2", 100}}; }));
  for (const auto* each : {&one, &two}) (void)await((*each)->withdraw(within(milliseconds(5000))));
}

TEST_F(Consul, AwayTheLastViewStaysAndTheWatchComesBack) {
  CuttingProxy proxy(agent);
  const auto one = instance(1, agent), two = instance(2, agent);
  ASSERT_TRUE(await(one->announce(within(milliseconds(5000)))));
  Watcher watcher(proxy.address(), {service});
  ASSERT_TRUE(eventually(milliseconds(3000), [&] { return watcher.count(service) == 1; }));
  proxy.refuse(true);
  proxy.cut_all();
  std::this_thread::sleep_for(milliseconds(200));
  ASSERT_TRUE(await(two->announce(within(milliseconds(5000)))));
  std::this_thread::sleep_for(milliseconds(1200));
  EXPECT_EQ(watcher.count(service), 1U);
  const auto away = instance(3, proxy.address());
  EXPECT_FALSE(await(away->announce(within(milliseconds(1000)))));
  proxy.refuse(false);
  EXPECT_TRUE(eventually(milliseconds(2000), [&] { return watcher.count(service) == 2; }));
  for (const auto* each : {&one, &two}) (void)await((*each)->withdraw(within(milliseconds(5000))));
}

TEST_F(Consul, AnAgentThatHasForgottenEverythingIsToldAgain) {
  Watcher watcher(agent, {service}, self(1));
  ASSERT_TRUE(eventually(milliseconds(3000), [&] { return watcher.count(service) == 1; })) << "registration is a background work of its own";
  (void)ask(Method::put, "/v1/agent/service/deregister/" + service + "-1");
  EXPECT_TRUE(eventually(milliseconds(3000), [&] { return watcher.count(service) == 0; }));
  EXPECT_TRUE(eventually(milliseconds(3000), [&] { return watcher.count(service) == 1; }));
  (void)ask(Method::put, "/v1/agent/service/deregister/" + service + "-1");
}

TEST_F(Consul, WhoIsIllIsLookedAtAgainAtOnce) {
  const auto one = instance(1, agent);
  const auto stay = [&](bool well) {
    return await(one->stay_registered(within(milliseconds(5000)), [well](const Context&) -> Task<bool> { return answer(well); }));
  };
  const Elapsed elapsed;
  const auto ill = stay(false);
  ASSERT_TRUE(ill) << why(ill);
  EXPECT_TRUE(*ill) << "its store may be back at any moment";
  EXPECT_LT(elapsed.time(), milliseconds(1000));
  EXPECT_TRUE(ask(Method::get, "/v1/agent/service/" + service + "-1").is_null()) << "it was registered before it could work";
  const auto well = stay(true);
  ASSERT_TRUE(well) << why(well);
  EXPECT_FALSE(*well);
  EXPECT_TRUE(ask(Method::get, "/v1/agent/service/" + service + "-1").is_object());
  (void)await(one->withdraw(within(milliseconds(5000))));
}

}  // namespace
}  // namespace shop::contract

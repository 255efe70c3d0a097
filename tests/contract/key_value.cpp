// KeyValueStore (ports/key_value.hpp): in memory, in a table, in Redis.
#include <future>
#include <set>

#include "adapters/memory_kv/memory_kv.hpp"
#include "adapters/redis/redis.hpp"
#include "adapters/sql_kv/sql_kv.hpp"
#include "adapters/sqlite/database.hpp"
#include "contract/cutting_proxy.hpp"

namespace shop::contract {
namespace {

class MemoryWorld {
 public:
  KeyValueStore& store() { return store_; }

 private:
  MemoryKeyValue store_{stage().clock};
};

class SqlWorld {
 public:
  SqlWorld() : database_(sqlite::open({.path = folder_.file("kv.db")}, stage().clock)), store_(*database_, stage().clock) {
    if (const auto made = await(store_.prepare(Context())); !made) throw std::runtime_error(why(made));
  }
  KeyValueStore& store() { return store_; }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Database> database_;
  SqlKeyValue store_;
};

class RedisWorld {
  // With a thread of its own, which ends before the store does: as in a process.
  class Owned final : public KeyValueStore {
   public:
    explicit Owned(const Address& address) : store_(open_redis({.host = address.host, .port = address.port}, threads_.first(), stage().clock)) {}
    ~Owned() override { threads_.stop(); }

    Task<Result<std::vector<std::optional<std::string>>>> get(const Context& context, std::vector<std::string> keys, seconds refresh) override {
      return store_->get(context, std::move(keys), refresh);
    }
    Task<Result<bool>> swap(const Context& context, std::vector<Change> changes) override { return store_->swap(context, std::move(changes)); }
    Task<Result<std::int64_t>> increment(const Context& context, std::string key, seconds ttl) override {
      return store_->increment(context, std::move(key), ttl);
    }
    Task<Result<void>> ping(const Context& context) override { return store_->ping(context); }

   private:
    net::IoThreads threads_{1};
    std::unique_ptr<KeyValueStore> store_;
  };

 public:
  RedisWorld() : store_(open(required("SHOP_TEST_REDIS"))) {}
  KeyValueStore& store() { return *store_; }

  static std::unique_ptr<KeyValueStore> open(const Address& address) { return std::make_unique<Owned>(address); }

 private:
  std::unique_ptr<KeyValueStore> store_;
};

using Change = KeyValueStore::Change;
using Found = std::vector<std::optional<std::string>>;

constexpr seconds minute{60};

Task<Result<void>> add_one(KeyValueStore& store, const Context& context, std::string key) {
  for (int attempt = 0; attempt < 2000; ++attempt) {
    CO_TRY(const auto found, co_await store.get(context, {key}));
    const auto now = found.front();
    CO_TRY(const bool swapped, co_await store.swap(context, {{key, now, std::to_string(now ? std::stoi(*now) + 1 : 1), minute}}));
    if (swapped) co_return Result<void>();
  }
  co_return fail(Code::timed_out, "no turn");
}

}  // namespace

template <class World>
class KeyValueContract : public testing::Test {
 protected:
  void SetUp() override {
    static World world;
    store = &world.store();
  }

  Found get(std::vector<std::string> keys, seconds refresh = seconds(0)) {
    const auto found = await(store->get(context, std::move(keys), refresh));
    EXPECT_TRUE(found) << why(found);
    return found.value_or(Found());
  }
  bool swap(std::vector<Change> changes) {
    const auto swapped = await(store->swap(context, std::move(changes)));
    EXPECT_TRUE(swapped) << why(swapped);
    return swapped.value_or(false);
  }
  std::int64_t increment(const std::string& key, seconds ttl = minute) {
    const auto count = await(store->increment(context, key, ttl));
    EXPECT_TRUE(count) << why(count);
    return count.value_or(-1);
  }

  KeyValueStore* store = nullptr;
  const Context context = within(milliseconds(30'000));
};

using KeyValueStores = testing::Types<MemoryWorld, SqlWorld, RedisWorld>;
TYPED_TEST_SUITE(KeyValueContract, KeyValueStores);

TYPED_TEST(KeyValueContract, WhatIsPutIsFound) {
  const auto a = fresh_name("a"), b = fresh_name("b");
  EXPECT_EQ(this->get({a, b}), (Found{std::nullopt, std::nullopt}));
  const std::string large = R"({"name":"هواتف 📦 \"x\""})" + std::string(300'000, 'y');
  EXPECT_TRUE(this->swap({{a, std::nullopt, large, minute}}));
  EXPECT_EQ(this->get({b, a, b}), (Found{std::nullopt, large, std::nullopt}));
  EXPECT_TRUE(this->swap({{b, std::nullopt, "", minute}}));
  EXPECT_EQ(this->get({b}), (Found{""}));
  EXPECT_TRUE(await(this->store->ping(this->context)));
}

TYPED_TEST(KeyValueContract, ASwapNeedsWhatItExpects) {
  const auto key = fresh_name("key");
  EXPECT_FALSE(this->swap({{key, "something", "new", minute}})) << "it did not exist";
  EXPECT_TRUE(this->swap({{key, std::nullopt, "one", minute}}));
  EXPECT_FALSE(this->swap({{key, std::nullopt, "two", minute}})) << "it existed";
  EXPECT_FALSE(this->swap({{key, "other", "two", minute}}));
  EXPECT_TRUE(this->swap({{key, "one", "two", minute}}));
  EXPECT_EQ(this->get({key}), Found{"two"});
  EXPECT_FALSE(this->swap({{key, "one", std::nullopt, minute}}));
  EXPECT_TRUE(this->swap({{key, "two", std::nullopt, minute}}));
  EXPECT_EQ(this->get({key}), Found{std::nullopt});
  EXPECT_TRUE(this->swap({{key, std::nullopt, std::nullopt, minute}})) << "nothing there, nothing to delete";
}

TYPED_TEST(KeyValueContract, AllKeysChangeOrNone) {
  const auto a = fresh_name("a"), b = fresh_name("b");
  ASSERT_TRUE(this->swap({{a, std::nullopt, "1", minute}, {b, std::nullopt, "2", minute}}));
  EXPECT_FALSE(this->swap({{a, "1", "10", minute}, {b, "wrong", "20", minute}}));
  EXPECT_EQ(this->get({a, b}), (Found{"1", "2"}));
  EXPECT_TRUE(this->swap({{a, "1", std::nullopt, minute}, {b, "2", "12", minute}}));  // as a guest's cart goes into the user's
  EXPECT_EQ(this->get({a, b}), (Found{std::nullopt, "12"}));
}

TYPED_TEST(KeyValueContract, SixtyFourAtOnceLoseNothing) {
  const auto key = fresh_name("key");
  std::vector<std::future<Result<void>>> adding;
  for (int i = 0; i < 64; ++i) {
    adding.push_back(boost::asio::co_spawn(stage().threads.next(), add_one(*this->store, this->context, key), boost::asio::use_future));
  }
  for (auto& each : adding) {
    const auto outcome = each.get();
    EXPECT_TRUE(outcome) << why(outcome);
  }
  EXPECT_EQ(this->get({key}), Found{"64"});
}

TYPED_TEST(KeyValueContract, IncrementsCountEveryCaller) {
  const auto key = fresh_name("count");
  std::vector<std::future<Result<std::int64_t>>> counting;
  for (int i = 0; i < 200; ++i) {
    counting.push_back(boost::asio::co_spawn(stage().threads.next(), this->store->increment(this->context, key, minute), boost::asio::use_future));
  }
  std::set<std::int64_t> counts;
  for (auto& each : counting) counts.insert(each.get().value_or(-1));
  EXPECT_EQ(counts.size(), 200U);
  EXPECT_EQ(*counts.begin(), 1);
  EXPECT_EQ(*counts.rbegin(), 200);
  EXPECT_EQ(this->get({key}), Found{"200"});
}

TYPED_TEST(KeyValueContract, EverythingExpires) {  // one wait for all that has to do with time
  const auto brief = fresh_name("brief"), kept = fresh_name("kept"), window = fresh_name("window"), several = fresh_name("several");
  ASSERT_TRUE(this->swap({{brief, std::nullopt, "x", seconds(1)}}));
  ASSERT_TRUE(this->swap({{kept, std::nullopt, "x", seconds(1)}, {several, std::nullopt, "x", seconds(1)}}));
  EXPECT_EQ(this->increment(window, seconds(1)), 1);
  EXPECT_EQ(this->get({kept}, minute), Found{"x"});  // what is found lives on
  EXPECT_EQ(this->get({several, fresh_name("none")}, minute), (Found{"x", std::nullopt}));
  std::this_thread::sleep_for(milliseconds(600));
  EXPECT_EQ(this->increment(window, seconds(1)), 2);  // the window began with the first
  std::this_thread::sleep_for(milliseconds(600));
  EXPECT_EQ(this->get({brief, kept, several}), (Found{std::nullopt, "x", "x"}));
  EXPECT_EQ(this->increment(window, seconds(1)), 1);
  EXPECT_TRUE(this->swap({{brief, std::nullopt, "again", minute}})) << "what has expired does not exist";
}

class Redis : public testing::Test {
 protected:
  Redis() : proxy(required("SHOP_TEST_REDIS")), store(RedisWorld::open(proxy.address())) {}

  Result<bool> put(const std::string& key, milliseconds limit = milliseconds(3000)) {
    return await(store->swap(within(limit), {{key, std::nullopt, "x", minute}}));
  }

  CuttingProxy proxy;
  std::unique_ptr<KeyValueStore> store;
};

TEST_F(Redis, AChangeWithoutAnswerIsUnknown) {
  ASSERT_TRUE(await(store->ping(within(milliseconds(3000)))));
  const auto key = fresh_name("key");
  proxy.cut_at(key, true);
  const auto outcome = put(key);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::unknown_outcome) << why(outcome);
  EXPECT_TRUE(eventually(milliseconds(2000), [&] {  // the connection heals by itself
    const auto found = await(store->get(within(milliseconds(1000)), {key}));
    return found && found->front() == "x";
  }));
}

TEST_F(Redis, AwayIsUnavailableAtOnceAndHeals) {
  proxy.refuse(true);
  for (int i = 0; i < 3; ++i) {
    const Elapsed elapsed;
    const auto outcome = await(store->get(within(milliseconds(3000)), {"x"}));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::unavailable) << why(outcome);
    EXPECT_LT(elapsed.time(), milliseconds(500));
  }
  proxy.refuse(false);
  EXPECT_TRUE(eventually(milliseconds(2000), [&] { return await(store->ping(within(milliseconds(500)))).has_value(); }));
}

TEST_F(Redis, ASilentServerCostsNoMoreThanTheDeadline) {
  ASSERT_TRUE(await(store->ping(within(milliseconds(3000)))));
  proxy.swallow(true);
  Elapsed elapsed;
  const auto change = put(fresh_name("key"), milliseconds(200));
  ASSERT_FALSE(change);
  EXPECT_EQ(change.error().code, Code::unknown_outcome) << why(change);
  const auto look = await(store->get(within(milliseconds(200)), {"x"}));
  ASSERT_FALSE(look);
  EXPECT_EQ(look.error().code, Code::timed_out) << why(look);
  EXPECT_LT(elapsed.time(), milliseconds(900));
  const auto patient = await(store->get(within(milliseconds(8000)), {"x"}));  // given up long before its deadline
  EXPECT_FALSE(patient);
  EXPECT_LT(elapsed.time(), milliseconds(2500));
  proxy.swallow(false);
  EXPECT_TRUE(eventually(milliseconds(2000), [&] { return put(fresh_name("key")).has_value(); }));
}

TEST_F(Redis, SurvivesConstantCutting) {
  std::atomic<bool> over{false};
  std::thread cutter([&] {
    while (!over) {
      std::this_thread::sleep_for(milliseconds(40));
      proxy.cut_all();
    }
  });
  const auto key = fresh_name("count");
  std::int64_t acknowledged = 0, unknown = 0;
  for (int i = 0; i < 300; ++i) {
    const auto count = await(store->increment(within(milliseconds(2000)), key, minute));
    acknowledged += count.has_value();
    unknown += !count && count.error().code == Code::unknown_outcome;
    if (!count) std::this_thread::sleep_for(milliseconds(10));
  }
  over = true;
  cutter.join();
  EXPECT_TRUE(eventually(milliseconds(2000), [&] { return await(store->ping(within(milliseconds(500)))).has_value(); }));
  const auto found = await(store->get(within(milliseconds(2000)), {key}));
  ASSERT_TRUE(found && found->front());
  EXPECT_GE(std::stoll(*found->front()), acknowledged);
  EXPECT_LE(std::stoll(*found->front()), acknowledged + unknown) << "something was done twice";
}

}  // namespace shop::contract

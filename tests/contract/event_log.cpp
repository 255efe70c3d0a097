// EventLog (ports/event_log.hpp): a table, and Kafka.
#include <set>

#include "contract/cutting_proxy.hpp"
#include "contract/event_worlds.hpp"

namespace shop::contract {
namespace {

constexpr milliseconds patience{20'000};  // a new group's first partitions take Kafka seconds on a busy machine

std::vector<EventRecord> records(const std::string& topic, int first, int count, int keys) {
  std::vector<EventRecord> all;
  for (int i = first; i < first + count; ++i) {
    all.push_back({topic, fmt::format("key-{}", i % keys), fmt::to_string(i), {{"eventId", fmt::to_string(i)}, {"traceparent", "t"}}});
  }
  return all;
}

// Reads until `count` events have come or the time is over; commits each when asked to.
std::vector<DeliveredEvent> read_some(Subscription& subscription, std::size_t count, bool commits, milliseconds limit = patience) {
  std::vector<DeliveredEvent> all;
  const Elapsed elapsed;
  while (all.size() < count && elapsed.time() < limit) {
    auto some = await(subscription.fetch(100, milliseconds(100)));
    if (!some) continue;
    for (auto& event : *some) {
      if (commits) EXPECT_TRUE(await(subscription.commit(event)));
      all.push_back(std::move(event));
    }
  }
  return all;
}

void expect_order_per_key(const std::vector<DeliveredEvent>& events) {
  std::map<std::string, int> last;
  for (const auto& event : events) {
    const int number = std::stoi(event.record.value);
    const auto [at, first] = last.emplace(event.record.key, number);
    if (first) continue;
    EXPECT_LT(at->second, number) << event.record.key;
    at->second = number;
  }
}

std::set<std::string> values(const std::vector<DeliveredEvent>& events) {
  std::set<std::string> all;
  for (const auto& event : events) all.insert(event.record.value);
  return all;
}

}  // namespace

template <class World>
class EventLogContract : public testing::Test {
 protected:
  void SetUp() override {
    static World world;
    log = &world.log();
    topic = fresh_name("topic");
    group = fresh_name("group");
  }
  void publish(std::vector<EventRecord> some) {
    const auto published = await(log->publish(within(milliseconds(15'000)), std::move(some)));
    ASSERT_TRUE(published) << why(published);
  }

  EventLog* log = nullptr;
  std::string topic, group;
};

using EventLogs = testing::Types<SqlLogWorld, KafkaWorld>;
TYPED_TEST_SUITE(EventLogContract, EventLogs);

TYPED_TEST(EventLogContract, HistoryIsAllThatIsThereAndLeavesNoTrace) {
  const auto history = [&](std::vector<std::string> topics, std::size_t most = 10'000, milliseconds limit = milliseconds(15'000)) {
    return await(this->log->history(within(limit), std::move(topics), most));
  };
  const auto nothing = history({this->topic + "-missing"});
  ASSERT_TRUE(nothing) << why(nothing);
  EXPECT_TRUE(nothing->empty());
  for (int i = 0; i < 400; i += 50) this->publish(records(this->topic, i, 50, 7));
  const auto subscription = this->log->subscribe(this->group, {this->topic});
  EXPECT_EQ(read_some(*subscription, 400, true).size(), 400U);
  for (int round = 0; round < 2; ++round) {  // neither a group's position nor an earlier look changes it
    const auto all = history({this->topic + "-missing", this->topic});
    ASSERT_TRUE(all) << why(all);
    EXPECT_EQ(all->size(), 400U);
    EXPECT_EQ(values(*all).size(), 400U);
    expect_order_per_key(*all);
    EXPECT_EQ(all->front().record.topic, this->topic);
    EXPECT_EQ(all->front().record.headers.size(), 2U);
  }
  const auto too_many = history({this->topic}, 399);
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().code, Code::too_large);
  this->publish(records(this->topic, 400, 1, 7));
  EXPECT_EQ(values(read_some(*subscription, 1, false)), std::set<std::string>{"400"}) << "a look at the history moved a group";
}

TYPED_TEST(EventLogContract, OrderedPerKeyWithHeadersForEachGroup) {
  for (int i = 0; i < 500; i += 50) this->publish(records(this->topic, i, 50, 7));
  for (const auto& group : {this->group, this->group + "2"}) {
    const auto subscription = this->log->subscribe(group, {this->topic});
    const auto events = read_some(*subscription, 500, true);
    ASSERT_EQ(events.size(), 500U);
    EXPECT_EQ(values(events).size(), 500U);
    expect_order_per_key(events);
    std::map<std::string, std::set<int>> partitions_of_key;
    std::set<int> partitions;
    for (const auto& event : events) {
      EXPECT_EQ(event.record.topic, this->topic);
      const std::map<std::string, std::string> headers(event.record.headers.begin(), event.record.headers.end());
      EXPECT_EQ(headers, (std::map<std::string, std::string>{{"eventId", event.record.value}, {"traceparent", "t"}}));
      partitions_of_key[event.record.key].insert(event.partition);
      partitions.insert(event.partition);
    }
    for (const auto& [key, its] : partitions_of_key) EXPECT_EQ(its.size(), 1U) << key;
    if (TypeParam::partitions > 1) EXPECT_GT(partitions.size(), 1U) << "all keys went into one partition";
    EXPECT_TRUE(eventually(milliseconds(5000), [&] { return subscription->lag() == 0; })) << subscription->lag();
  }
}

TYPED_TEST(EventLogContract, WhatWasNotCommittedComesAgain) {
  this->publish(records(this->topic, 0, 20, 1));
  std::string next;
  {
    const auto subscription = this->log->subscribe(this->group, {this->topic});
    const auto events = read_some(*subscription, 20, false);
    ASSERT_EQ(events.size(), 20U);
    EXPECT_TRUE(eventually(milliseconds(5000), [&] { return subscription->lag() == 20; })) << subscription->lag();
    ASSERT_TRUE(await(subscription->commit(events[11])));  // and with it all before
    EXPECT_TRUE(eventually(milliseconds(5000), [&] { return subscription->lag() <= 19; })) << subscription->lag();
  }
  {
    const auto subscription = this->log->subscribe(this->group, {this->topic});
    const auto events = read_some(*subscription, 8, true);
    ASSERT_EQ(events.size(), 8U);
    EXPECT_EQ(events.front().record.value, "12");
  }
  const auto subscription = this->log->subscribe(this->group, {this->topic});
  EXPECT_TRUE(read_some(*subscription, 1, true, milliseconds(1500)).empty()) << "everything had been committed";
  this->publish(records(this->topic, 20, 1, 1));
  const auto events = read_some(*subscription, 1, true);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events.front().record.value, "20");
}

TYPED_TEST(EventLogContract, ASubscriptionMayComeBeforeItsTopic) {
  const auto subscription = this->log->subscribe(this->group, {this->topic, this->topic + "b"});
  EXPECT_TRUE(read_some(*subscription, 1, true, milliseconds(300)).empty());
  this->publish(records(this->topic, 0, 3, 3));
  this->publish(records(this->topic + "b", 3, 3, 3));
  EXPECT_EQ(values(read_some(*subscription, 6, true)).size(), 6U);
}

TYPED_TEST(EventLogContract, ALargeRecordAndAnEmptyOne) {
  this->publish({{this->topic, "k", std::string(900'000, 'x'), {}}, {this->topic, "k", "", {}}});
  const auto subscription = this->log->subscribe(this->group, {this->topic});
  const auto events = read_some(*subscription, 2, true);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].record.value.size(), 900'000U);
  EXPECT_EQ(events[1].record.value, "");
}

class Kafka : public testing::Test {
 protected:
  Kafka() : broker(required("SHOP_TEST_KAFKA").text()), log(KafkaWorld::open(broker)) {}

  const std::string broker;
  const std::unique_ptr<EventLog> log;
  const std::string topic = fresh_name("topic"), group = fresh_name("group");
};

TEST_F(Kafka, MembersShareThePartitionsAndInherit) {
  ASSERT_TRUE(await(log->publish(within(milliseconds(15'000)), records(topic, 0, 60, 60))));
  auto first = log->subscribe(group, {topic}), second = log->subscribe(group, {topic});
  std::vector<DeliveredEvent> all;
  std::set<int> of_first, of_second;
  int next = 60;
  // Both have some partitions, none in common, all together.
  EXPECT_TRUE(eventually(patience, [&] {
    of_first.clear();
    of_second.clear();
    EXPECT_TRUE(await(log->publish(within(milliseconds(15'000)), records(topic, next, 60, 60))));
    next += 60;
    for (auto& event : read_some(*first, 60, true, milliseconds(300))) of_first.insert(event.partition), all.push_back(event);
    for (auto& event : read_some(*second, 60, true, milliseconds(300))) of_second.insert(event.partition), all.push_back(event);
    return !of_first.empty() && !of_second.empty() && of_first.size() + of_second.size() == KafkaWorld::partitions;
  }));
  for (int partition : of_first) EXPECT_FALSE(of_second.contains(partition));
  second.reset();
  ASSERT_TRUE(await(log->publish(within(milliseconds(15'000)), records(topic, next, 60, 60))));
  next += 60;
  const Elapsed elapsed;
  while (values(all).size() < static_cast<std::size_t>(next) && elapsed.time() < patience) {
    for (auto& event : read_some(*first, 10, true, milliseconds(200))) all.push_back(event);
  }
  EXPECT_EQ(values(all).size(), static_cast<std::size_t>(next)) << "a partition was not inherited";
}

TEST_F(Kafka, AStuckMemberHoldsUpNobody) {  // more waits for it than it may keep; another one joins all the same
  for (int i = 0; i < 4000; i += 1000) ASSERT_TRUE(await(log->publish(within(milliseconds(15'000)), records(topic, i, 1000, 60))));
  const auto stuck = log->subscribe(group, {topic});
  ASSERT_FALSE(read_some(*stuck, 1, false).empty());
  std::this_thread::sleep_for(milliseconds(500));
  const auto other = log->subscribe(group, {topic});
  EXPECT_FALSE(read_some(*other, 1, false, milliseconds(15'000)).empty());
  EXPECT_GT(read_some(*stuck, 1500, true, milliseconds(10'000)).size(), 1000U) << "it was not woken again";
}

TEST_F(Kafka, AwayIsUnavailableInTimeAndHeals) {
  CuttingProxy proxy(required("SHOP_TEST_KAFKA"));
  // The broker names its own address to clients, so only the first contact goes through the proxy.
  proxy.refuse(true);
  const auto remote = KafkaWorld::open(proxy.address().text(), milliseconds(1000));
  Elapsed elapsed;
  const auto pinged = await(remote->ping(within(milliseconds(2000))));
  ASSERT_FALSE(pinged);
  EXPECT_EQ(pinged.error().code, Code::unavailable) << why(pinged);
  EXPECT_LT(elapsed.time(), milliseconds(1500));
  const auto published = await(remote->publish(within(milliseconds(5000)), records(topic, 0, 1, 1)));
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code, Code::unavailable) << why(published);
  EXPECT_LT(elapsed.time(), milliseconds(7000));
  proxy.refuse(false);
  EXPECT_TRUE(eventually(patience, [&] { return await(remote->publish(within(milliseconds(5000)), records(topic, 0, 1, 1))).has_value(); }));
}

}  // namespace shop::contract

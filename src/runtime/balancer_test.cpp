#include "runtime/balancer.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <thread>

#include "adapters/system/system.hpp"

namespace shop {
namespace {

struct Directory final : ServiceDirectory {
  Instances instances(std::string_view) const override { return view; }
  Task<Result<void>> announce(const Context&) override { co_return Result<void>(); }
  Task<Result<void>> withdraw(const Context&) override { co_return Result<void>(); }

  Instances view = std::make_shared<const std::vector<Instance>>();
};

// The same sequence every time.
struct Dice final : Random {
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(engine());
  }
  std::mt19937 engine{7};
};

struct World {
  explicit World(std::vector<std::uint32_t> weights) {
    std::vector<Instance> all;
    for (auto weight : weights) all.push_back({std::to_string(all.size()), "h", 1, "v", weight});
    directory.view = std::make_shared<const std::vector<Instance>>(std::move(all));
  }

  // Shares of 20 000 requests, so many of them under way at a time; whichever ends next ends by chance.
  std::vector<double> shares(std::size_t at_a_time) {
    constexpr int requests = 20'000;
    std::vector<double> counts(directory.view->size());
    std::vector<Instance> open;
    for (int i = 0; i < requests; ++i) {
      if (open.size() == at_a_time) {
        const auto over = open.begin() + static_cast<std::ptrdiff_t>(dice.below(open.size()));
        balancer.release(*over);
        open.erase(over);
      }
      open.push_back(balancer.choose("any").value());
      counts[std::stoul(open.back().id)] += 1.0 / requests;
    }
    for (const auto& each : open) balancer.release(each);
    return counts;
  }

  Directory directory;
  SystemClock clock;
  Dice dice;
  Balancer balancer{directory, clock, dice};
};

TEST(Balancer, SharesFollowTheWeightsHoweverFewRequestsAreUnderWay) {
  for (std::size_t at_a_time : {1, 2, 4, 16, 64}) {
    World world({0, 100, 300});
    const auto shares = world.shares(at_a_time);
    EXPECT_EQ(shares[0], 0) << at_a_time;
    EXPECT_NEAR(shares[1], 0.25, 0.05) << at_a_time;
    EXPECT_NEAR(shares[2], 0.75, 0.05) << at_a_time;
  }
}

TEST(Balancer, ACanaryGetsNoMoreThanItsShare) {
  for (std::size_t at_a_time : {1, 2, 4, 8, 32}) {
    World world({100, 100, 2});
    EXPECT_NEAR(world.shares(at_a_time)[2], 0.01, 0.004) << at_a_time;
  }
}

TEST(Balancer, OfEqualsTheLessBusyIsTaken) {
  World world({100, 100});
  int with_the_idle = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto first = world.balancer.choose("any").value(), second = world.balancer.choose("any").value();
    with_the_idle += first.id != second.id;
    world.balancer.release(first);
    world.balancer.release(second);
  }
  EXPECT_NEAR(with_the_idle, 750, 60);  // both draws meet the busy one in a quarter of the cases
}

TEST(Balancer, OneThatRefusesIsLeftOutForAWhile) {
  World world({100, 100});
  const auto bad = world.balancer.choose("any").value();
  world.balancer.refused(bad);
  EXPECT_EQ(world.balancer.ejected(), 1U);
  for (int i = 0; i < 100; ++i) {
    const auto chosen = world.balancer.choose("any").value();
    EXPECT_NE(chosen.id, bad.id);
    world.balancer.release(chosen);
  }
  EXPECT_TRUE(world.balancer.choose("any", bad.id == "0" ? "1" : "0")) << "when there is no other, it is tried";
  world.balancer.answered(bad);
  EXPECT_EQ(world.balancer.ejected(), 0U);
}

// A hundred requests under way when an instance dies are one refusal, not a hundred: it is back half a second later.
TEST(Balancer, ManyRefusedAtOnceCountOnce) {
  World world({100, 100});
  std::vector<Instance> under_way;
  while (under_way.size() < 100) {
    if (auto chosen = world.balancer.choose("any").value(); chosen.id == "0") under_way.push_back(chosen);
  }
  for (const auto& each : under_way) world.balancer.refused(each);
  EXPECT_EQ(world.balancer.ejected(), 1U);
  std::this_thread::sleep_for(milliseconds(550));
  EXPECT_EQ(world.balancer.ejected(), 0U);
}

TEST(Balancer, NobodyWithoutWeight) {
  World world({0, 0});
  EXPECT_FALSE(world.balancer.choose("any"));
}

}  // namespace
}  // namespace shop

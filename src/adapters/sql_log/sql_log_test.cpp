#include "adapters/sql_log/sql_log.hpp"

#include <filesystem>
#include <gtest/gtest.h>

#include "adapters/sqlite/database.hpp"
#include "adapters/system/system.hpp"
#include "base/run_to_end.hpp"

namespace shop {
namespace {

namespace fs = std::filesystem;

// A clock whose wall can be set; everything else is the system's.
class SetClock final : public Clock {
 public:
  Instant wall() const override { return at; }
  Monotonic now() const override { return system_.now(); }
  std::unique_ptr<Alarm> alarm() override { return system_.alarm(); }
  Task<> sleep(milliseconds duration) override { return system_.sleep(duration); }

  Instant at{1'700'000'000'000};

 private:
  SystemClock system_;
};

class SqlLogTest : public testing::Test {
 protected:
  SqlLogTest() {
    std::string pattern = fs::temp_directory_path() / "shop-log-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
    database_ = sqlite::open({.path = path_ / "events.db"}, clock_);
    log_.emplace(*database_, clock_);
    EXPECT_TRUE(run_to_end(log_->prepare({})));
  }
  ~SqlLogTest() override {
    database_.reset();
    fs::remove_all(path_);
  }

  void publish(const std::string& topic, const std::string& key) { ASSERT_TRUE(run_to_end(log_->publish({}, {{topic, key, "{}", {}}}))); }

  std::vector<std::string> kept(const std::string& topic) {
    std::vector<std::string> keys;
    const auto events = run_to_end(log_->history({}, {topic}, 100));
    EXPECT_TRUE(events);
    for (const auto& event : events.value_or(std::vector<DeliveredEvent>())) keys.push_back(event.record.key);
    return keys;
  }

  SetClock clock_;
  fs::path path_;
  std::unique_ptr<Database> database_;
  std::optional<SqlEventLog> log_;
};

TEST_F(SqlLogTest, WhatIsOldGoesOnceEveryGroupHasPassedIt) {
  using Keys = std::vector<std::string>;
  for (const auto* key : {"a", "b", "c"}) publish("orders", key);
  publish("letters_dlq", "poison");
  const auto quick = log_->subscribe("quick", {"orders"}), slow = log_->subscribe("slow", {"orders"});
  const auto all = run_to_end(quick->fetch(10, milliseconds(100)));
  ASSERT_TRUE(all && all->size() == 3);
  ASSERT_TRUE(run_to_end(quick->commit(all->back())));
  ASSERT_TRUE(run_to_end(slow->commit(all->at(1))));

  clock_.at = clock_.at + events_kept - hours(1);
  EXPECT_EQ(run_to_end(log_->trim({}, events_kept)).value_or(true), false);
  EXPECT_EQ(kept("orders"), (Keys{"a", "b", "c"})) << "not old enough";

  clock_.at = clock_.at + hours(2);
  publish("orders", "d");
  EXPECT_EQ(run_to_end(log_->trim({}, events_kept)).value_or(true), false);
  EXPECT_EQ(kept("orders"), (Keys{"c", "d"})) << "one group has not passed c, and d is young";
  EXPECT_EQ(kept("letters_dlq"), (Keys{"poison"})) << "dead letters wait for a person";

  const auto rest = run_to_end(slow->fetch(10, milliseconds(100)));
  ASSERT_TRUE(rest && rest->size() == 2) << "what was not passed is still handed out";
  EXPECT_EQ(rest->front().record.key, "c");
}

}  // namespace
}  // namespace shop

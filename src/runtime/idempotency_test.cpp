#include "runtime/idempotency.hpp"

#include <gtest/gtest.h>

#include "adapters/memory_kv/memory_kv.hpp"
#include "adapters/system/system.hpp"
#include "base/run_to_end.hpp"

namespace shop {
namespace {

const IdempotencyKey of_somebody{"user 1", "key", "hash"};

struct Station {
  SystemClock clock;
  MemoryKeyValue store;
  Rendezvous rendezvous{store, clock};

  explicit Station(std::size_t room = 10) : store(clock, room) {}

  std::string agree(const IdempotencyKey& key, std::string proposal) { return run_to_end(rendezvous.agree({}, key, std::move(proposal))); }
};

TEST(IdempotencyHeader, IsTextOfSomeLength) {
  const auto given = [](std::string_view key) {
    Request request;
    request.headers.add("Idempotency-Key", key);
    return idempotency_header(request);
  };
  EXPECT_EQ(idempotency_header({}).value(), std::nullopt);
  for (const auto& key : {std::string("k"), std::string("clé 🗝"), std::string(200, 'x')}) EXPECT_EQ(given(key).value(), key);
  for (const auto& key : {std::string(), std::string(201, 'x'), std::string("\xe9"), std::string("k\xff")}) {
    ASSERT_FALSE(given(key)) << key;
    EXPECT_EQ(given(key).error().code, Code::invalid);
  }
}

TEST(Rendezvous, WhoeverComesFirstIsFollowed) {
  Station at;
  EXPECT_EQ(at.agree(of_somebody, "first"), "first");
  EXPECT_EQ(at.agree(of_somebody, "second"), "first");
}

TEST(Rendezvous, OthersAndOtherRequestsDoNotMeet) {
  Station at;
  EXPECT_EQ(at.agree(of_somebody, "first"), "first");
  EXPECT_EQ(at.agree({"user 2", "key", "hash"}, "second"), "second");
  EXPECT_EQ(at.agree({"user 1", "another key", "hash"}, "third"), "third");
  EXPECT_EQ(at.agree({"user 1", "key", "another request"}, "fourth"), "fourth");
}

TEST(Rendezvous, WithoutAStoreEverybodyGoesHisOwnWay) {
  Station full(0);
  EXPECT_EQ(full.agree(of_somebody, "first"), "first");
  EXPECT_EQ(full.agree(of_somebody, "second"), "second");
}

}  // namespace
}  // namespace shop

// How far the groups of an embedded event log have come, and what they gave up; for `shopctl doctor`.
#pragma once

#include "ports/database.hpp"

namespace shop::sql_log {

struct GroupBacklog {
  std::string group, topic;
  std::int64_t waiting = 0;
};
BOOST_DESCRIBE_STRUCT(GroupBacklog, (), (group, topic, waiting))
Task<Result<std::vector<GroupBacklog>>> backlog(Transaction& tx);  // groups with nothing to do are left out

struct DeadLetters {
  std::string topic;
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(DeadLetters, (), (topic, count))
Task<Result<std::vector<DeadLetters>>> dead_letters(Transaction& tx);

}  // namespace shop::sql_log

// How far the groups of an embedded event log have come; for `shopctl doctor`.
#pragma once

#include "ports/database.hpp"

namespace shop::sql_log {

struct GroupBacklog {
  std::string group, topic;
  std::int64_t waiting = 0, position = 0;
};
BOOST_DESCRIBE_STRUCT(GroupBacklog, (), (group, topic, waiting, position))
Task<Result<std::vector<GroupBacklog>>> backlog(Transaction& tx);  // groups with nothing to do are left out

// Keys of the events of a topic that a group has not passed.
Task<Result<std::vector<std::string>>> waiting_keys(Transaction& tx, const std::string& group, const std::string& topic);

// Groups that stand behind the last event that there ever was: they would skip what comes next.
Task<Result<std::vector<GroupBacklog>>> ahead(Transaction& tx);

}  // namespace shop::sql_log

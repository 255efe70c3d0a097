#include "adapters/sql_log/backlog.hpp"

namespace shop::sql_log {
namespace {

constexpr Query behind_all{"log_backlog",
                           "SELECT p.consumer, p.topic, COUNT(*), p.number FROM positions p JOIN events e ON e.topic = p.topic AND e.number > p.number"
                           " GROUP BY p.consumer, p.topic ORDER BY p.consumer, p.topic"};
constexpr Query waiting_list{"log_waiting_keys",
                             "SELECT DISTINCT key FROM events WHERE topic = $2 AND number >"
                             " COALESCE((SELECT number FROM positions WHERE consumer = $1 AND topic = $2), 0)"};
constexpr Query ahead_all{"log_ahead",
                          "SELECT consumer, topic, 0, number FROM positions WHERE number >"
                          " COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0) ORDER BY consumer, topic"};

}  // namespace

Task<Result<std::vector<GroupBacklog>>> backlog(Transaction& tx) { return select<GroupBacklog>(tx, behind_all); }

Task<Result<std::vector<std::string>>> waiting_keys(Transaction& tx, const std::string& group, const std::string& topic) {
  return select<std::string>(tx, waiting_list, group, topic);
}

Task<Result<std::vector<GroupBacklog>>> ahead(Transaction& tx) { return select<GroupBacklog>(tx, ahead_all); }

}  // namespace shop::sql_log

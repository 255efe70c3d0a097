#include "adapters/sql_log/backlog.hpp"

namespace shop::sql_log {
namespace {

constexpr Query behind_all{"log_backlog",
                           "SELECT p.consumer, p.topic, COUNT(*) FROM positions p JOIN events e ON e.topic = p.topic AND e.number > p.number"
                           " GROUP BY p.consumer, p.topic ORDER BY p.consumer, p.topic"};
constexpr Query letters{"log_dead_letters", "SELECT topic, COUNT(*) FROM events WHERE topic LIKE '%\\_dlq' ESCAPE '\\' GROUP BY topic ORDER BY topic"};

}  // namespace

Task<Result<std::vector<GroupBacklog>>> backlog(Transaction& tx) { return select<GroupBacklog>(tx, behind_all); }

Task<Result<std::vector<DeadLetters>>> dead_letters(Transaction& tx) { return select<DeadLetters>(tx, letters); }

}  // namespace shop::sql_log

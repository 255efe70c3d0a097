#include "apps/reindex.hpp"

#include "runtime/peer.hpp"

namespace shop {

Task<Result<search::RebuildReport>> reindex(const Context& context, ServiceCaller& services, Clock& clock) {
  using enum search::RebuildStatus;
  const Peer peer(services, "search-service");
  CO_TRY(auto report, co_await peer.command<search::RebuildReport>(context, "/internal/reindex"));
  while (report.status == WAITING || report.status == RUNNING) {
    co_await clock.sleep(milliseconds(50));
    CO_TRY(report, co_await peer.get<search::RebuildReport>(context, "/internal/reindex"));
  }
  if (report.status != DONE) co_return fail(Code::unavailable, report.message);
  co_return report;
}

}  // namespace shop

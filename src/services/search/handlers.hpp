// HTTP <-> use case.
#pragma once

#include "net/route.hpp"
#include "services/search/service.hpp"

namespace shop::search {

using net::Call;
using net::Query;
using net::Rendered;

class Handlers {
 public:
  Handlers(SearchService& service, Rebuilder& rebuilder) : service_(service), rebuilder_(rebuilder) {}

  Task<Result<Rendered<SearchAnswer>>> search(Call& call, Query<SearchRequest> query);
  Task<Result<RebuildReport>> reindex(Call& call);
  Task<Result<RebuildReport>> rebuild_report(Call& call);

 private:
  SearchService& service_;
  Rebuilder& rebuilder_;
};

const net::RouteTable<Handlers>& routes();

}  // namespace shop::search

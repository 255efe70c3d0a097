// Has the search index built anew beside the live one, and waits until it is.
#pragma once

#include "ports/clock.hpp"
#include "ports/service_caller.hpp"
#include "services/search/api.hpp"

namespace shop {

// Searches go on meanwhile. unavailable: the rebuild failed, for the reason in the message. Whoever stops waiting does not stop it.
// `services` must ask the same instance throughout.
Task<Result<search::RebuildReport>> reindex(const Context& context, ServiceCaller& services, Clock& clock);

}  // namespace shop

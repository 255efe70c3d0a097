// Route tables -> OpenAPI 3.1 (paths as clients see them, through the gateway).
#pragma once

#include <span>

#include "net/router.hpp"

namespace shop::net {

std::string openapi_document(std::span<const Router* const> services);

}  // namespace shop::net

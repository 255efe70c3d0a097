# Everything comes from Debian packages; scripts/install-packages installs them. A missing one ends with its package's name.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt REQUIRED)
set(Boost_NO_WARN_NEW_VERSIONS ON)
find_package(Boost 1.81 EXACT REQUIRED COMPONENTS json)

function(shop_pkg target module package)
  pkg_check_modules(${target} QUIET IMPORTED_TARGET ${module})
  if(NOT ${target}_FOUND)
    message(FATAL_ERROR "${module} is missing: apt-get install ${package}, or run scripts/install-packages.")
  endif()
endfunction()

shop_pkg(SQLITE sqlite3 libsqlite3-dev)
shop_pkg(ICU icu-uc libicu-dev)
shop_pkg(XXHASH libxxhash libxxhash-dev)
shop_pkg(ARGON2 libargon2 libargon2-dev)
shop_pkg(LIBCRYPT libcrypt libcrypt-dev)
shop_pkg(PROMETHEUS prometheus-cpp-core prometheus-cpp-dev)
shop_pkg(XAPIAN xapian-core libxapian-dev)
shop_pkg(PQ libpq libpq-dev)
shop_pkg(HIREDIS hiredis libhiredis-dev)
shop_pkg(RDKAFKA rdkafka librdkafka-dev)

# Requests make many short-lived objects on one thread and end them on another: with the C library's allocator that is a fifth of an order's CPU.
# Programs take this one by being linked to it; sanitizers bring their own.
shop_pkg(TCMALLOC libtcmalloc_minimal libgoogle-perftools-dev)

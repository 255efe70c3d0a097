#include "base/slice.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace shop {
namespace {

constexpr std::uint64_t long_turn_ns = 20'000'000;

// The first version of the kernel's struct sched_attr, which the C library of Debian 12 does not declare.
struct Attributes {
  std::uint32_t size, policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime_ns, deadline_ns, period_ns;
};
static_assert(sizeof(Attributes) == 48);

}  // namespace

void ask_for_long_turns() {
  Attributes wanted{};
  wanted.size = sizeof(wanted);
  wanted.nice = ::getpriority(PRIO_PROCESS, 0);  // on Linux of the thread: stays as it is
  wanted.runtime_ns = long_turn_ns;
  (void)::syscall(SYS_sched_setattr, 0, &wanted, 0U);
}

}  // namespace shop

// How long a thread wants the processor in one go, which changes nobody's share of it: who wakes and wants less goes before who is in
// the midst of a longer turn. So an answer of microseconds does not wait until a statement or a hash on the same core has had its turn.
#pragma once

namespace shop {

// The calling thread may be interrupted at any time, by whoever asks for no such thing: its turns are 20 ms, where the kernel's own are
// a few at most. Linux 6.12 and later (sched_setattr(2), sched_runtime of SCHED_OTHER); elsewhere, and where it is forbidden, without effect.
void ask_for_long_turns();

}  // namespace shop

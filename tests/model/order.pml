/* Reservation, order and cancellation as a model for Spin: how an order is placed (docs/adr/0002-placing-an-order.md).
   Actions are named as in src/services/order/service.cpp and src/services/product/service_stock.cpp. A transaction of one service
   is one step (d_step); between two steps anybody else may run, and whoever runs may crash.

   Three buyers want two variants. Buyer TWICE has an idempotency key: under it he sends REQUESTS at once, and one of them a second
   time, after a failure, a crash or a lost answer. They meet at one id or miss each other; an id that was given up is replaced by a
   fresh one, which the key then holds; until IDS were made. The others come without a key. Each call, and each event, may be lost,
   unanswered, late, or made several times.
   When nobody is asked any more, the weather turns fine: what is under way is done, nobody cancels, nothing comes twice. Then
   nobody can do anything, and the books must be right.

   tests/model/run explores every state, for each TWICE that differs, and then with each FAULT_ planted, which it must find.
   With TRACE, the model can only do what a trace of the real services did (trace.pml). */

mtype = { NONE, HELD, CONFIRMED, RELEASED };             /* a reservation */
mtype = { PLACED, ABANDONED };                           /* an outcome, once and for all; NONE before */
mtype = { PENDING, CANCELLED };                          /* an order; NONE before. PENDING stands for all that is not CANCELLED or FAILED */
mtype = { CLAIMED, ANSWERED, AGAIN, REFUSED, CONFLICT }; /* further answers */
mtype = { CLAIM, RESERVE, COMMIT, GIVE_UP, RELEASE_CLAIM, RELEASE, CONFIRM, CANCEL, QUIET }; /* actions */
#define NO 255

#ifdef BREADTH /* breadth first, for the shortest trail: then Spin allows nothing hidden from the state */
#define hidden
#endif

#ifdef TRACE
#include "trace.pml"
#else

#ifndef TWICE
#define TWICE 0
#endif
#ifndef REQUESTS
#define REQUESTS 2
#endif
#ifndef IDS
#define IDS 2
#endif
#define ORDERS (2 + IDS) /* an id for each buyer, and more under the key */
#define KEYED(o) ((o) == TWICE || (o) > 2)
#define BUYER(o) ((o) > 2 -> TWICE : (o))
#define ID(n) ((n) == 0 -> TWICE : (n) + 2) /* the n-th id made under the key */
#define LOOKS (claimed == NO || !answered) /* otherwise the answer is there */
#define SPENT (made > 0) /* there was an id before */
#define MORE (made < IDS)
#define FRESH ID(made); made++
#define MADE(o) ((o) > 2 -> made > (o) - 2 : (o) != TWICE || made > 0)
#define UNPLACED (order[ID(0)] == NONE && order[ID(1)] == NONE && order[ID(IDS - 1)] == NONE)
#if IDS == 2
#define EACH(step) step(0) step(1) step(2) step(3)
#else
#define EACH(step) step(0) step(1) step(2) step(3) step(4)
#endif

#define WANTS0(o) (BUYER(o) < 2 -> 1 : 0) /* buyers 0 and 1 want one of each variant, */
#define WANTS1(o) (BUYER(o) < 2 -> 1 : 2) /* buyer 2 wants two of variant 1: he or they can be refused */
#define START0 2
#define START1 2
#define HAS(stock, wanted) (stock >= wanted)

#define NEXT(action, o) true /* it may happen now */
inline did(action, o, answer) { printf("order %d: %e -> %e\n", o, action, answer) } /* seen in trails only */

#endif

/* product-service */
short stock0 = START0, stock1 = START1;
mtype reservation[ORDERS] = NONE;
/* order-service */
mtype outcome[ORDERS] = NONE;
mtype order[ORDERS] = NONE;
byte claimed = NO; /* the order id that the key holds */
bit answered;      /* the claim is settled: status 201 */
short made;        /* how many ids were made under the key */
/* the world */
bit refused[ORDERS]; /* somebody was told REFUSED or RELEASED; of ids under the key, where it matters */
byte working = 2;    /* handlers that run, or will */
bit fine;            /* the weather */
hidden mtype said;   /* by the step that is being made */

/* --- transactions of product-service */

#ifdef FAULT_UNCONDITIONAL_TAKE
#undef HAS
#define HAS(stock, wanted) true
#endif
#define HAVE(o) (HAS(stock0, WANTS0(o)) && HAS(stock1, WANTS1(o)))

inline take(o) {
  stock0 = stock0 - WANTS0(o);
  stock1 = stock1 - WANTS1(o);
  assert(stock0 >= 0 && stock1 >= 0) /* never oversold */
}

inline give_back(o) {
  stock0 = stock0 + WANTS0(o);
  stock1 = stock1 + WANTS1(o);
  assert(stock0 <= START0 && stock1 <= START1)
}

inline reserve(o) { /* all lines or none */
  if
  :: reservation[o] == RELEASED -> said = RELEASED
  :: reservation[o] == HELD || reservation[o] == CONFIRMED -> said = AGAIN
#ifdef FAULT_TAKE_AGAIN
     ; if :: HAVE(o) -> take(o) :: else fi
#endif
  :: reservation[o] == NONE && HAVE(o) -> take(o); reservation[o] = HELD; said = HELD
  :: reservation[o] == NONE && !HAVE(o) -> said = REFUSED
#ifdef FAULT_PARTIAL_RESERVE /* the line that could be had is not rolled back */
     ; if
     :: HAS(stock0, WANTS0(o)) -> stock0 = stock0 - WANTS0(o)
     :: HAS(stock1, WANTS1(o)) -> stock1 = stock1 - WANTS1(o)
     :: else
     fi
#endif
  fi;
  if
  :: KEYED(o) && (said == REFUSED || said == RELEASED) -> refused[o] = 1
  :: else
  fi;
  did(RESERVE, o, said)
}

inline release(o) {
  assert(order[o] != PENDING); /* what a standing order took is never given back */
  if
  :: reservation[o] == NONE -> did(RELEASE, o, NONE); reservation[o] = RELEASED /* the gravestone: a RESERVE takes nothing any more */
  :: reservation[o] == HELD || reservation[o] == CONFIRMED -> did(RELEASE, o, reservation[o]); reservation[o] = RELEASED; give_back(o)
#ifdef FAULT_RELEASE_TWICE
  :: reservation[o] == RELEASED -> give_back(o)
#endif
  :: else
  fi
}

inline confirm(o) {
  if
#ifdef FAULT_CONFIRM_RELEASED
  :: reservation[o] != CONFIRMED -> did(CONFIRM, o, CONFIRMED); reservation[o] = CONFIRMED
#else
  :: reservation[o] == HELD -> did(CONFIRM, o, CONFIRMED); reservation[o] = CONFIRMED
#endif
  :: else
  fi
}

/* --- transactions of order-service */

#ifndef TRACE
inline look(o) { /* a read, and advice that may fail: nobody is kept from anything */
  tries--;
  if
#ifndef FAULT_NO_KEY
  :: claimed != NO -> o = claimed
#endif
  :: claimed == NO && made > 0 -> o = ID(0)
  :: claimed == NO && MORE -> o = FRESH
  :: else -> skip /* the model's bound, not the shop's */
  fi
}
#endif

inline claim(o) { /* instead of a spent id: for a fresh one, unless the key holds one */
  if
#ifdef FAULT_NO_KEY
  :: MORE -> o = FRESH; said = CLAIMED
#else
  :: claimed != NO && answered -> o = claimed; said = ANSWERED
  :: claimed != NO && !answered -> o = claimed; said = CLAIMED
  :: claimed == NO && MORE -> o = FRESH; claimed = o; said = CLAIMED
#endif
  :: else -> said = REFUSED /* the model's bound, not the shop's */
  fi;
  did(CLAIM, o, said)
}

inline release_claim(o) {
  if
#ifdef FAULT_ANSWER_FORGOTTEN
  :: claimed == o -> claimed = NO; answered = 0; did(RELEASE_CLAIM, o, NONE)
#else
  :: claimed == o && !answered -> claimed = NO; did(RELEASE_CLAIM, o, NONE)
#endif
  :: else
  fi
}

#define GIVEN_UP(o) (outcome[o] == ABANDONED)
#define PASSED(o) (KEYED(o) && claimed != NO && claimed != o) /* the key has passed to another attempt, whose id alone can be placed */
#define STANDS(o) (KEYED(o) && claimed == o && answered)
#ifdef FAULT_NO_OUTCOME
#undef GIVEN_UP
#define GIVEN_UP(o) false
#endif
#if defined(FAULT_KEY_PASSED) || defined(FAULT_NO_KEY)
#undef PASSED
#define PASSED(o) false
#endif
#ifdef FAULT_NO_KEY
#undef STANDS
#define STANDS(o) false
#endif

inline commit(o) { /* decides PLACED, writes the order, its event and the key's answer; or rolls all of it back */
  if
  :: GIVEN_UP(o) || PASSED(o) -> said = CONFLICT
  :: !GIVEN_UP(o) && !PASSED(o) && STANDS(o) -> said = ANSWERED
  :: else -> said = PLACED;
     assert(order[o] == NONE);
     assert(!KEYED(o) || UNPLACED);                                 /* one order a key */
     assert(reservation[o] == HELD || reservation[o] == CONFIRMED); /* of stock that is there */
     outcome[o] = PLACED;
     order[o] = PENDING;
     if
     :: KEYED(o) -> claimed = o; answered = 1
     :: else
     fi
  fi;
  did(COMMIT, o, said)
}

inline give_up(o) { /* decides ABANDONED, unless PLACED stands there */
  if
#ifndef FAULT_SECOND_OUTCOME
  :: outcome[o] == PLACED -> said = PLACED
#endif
  :: else -> said = ABANDONED;
     outcome[o] = ABANDONED;
     if
     :: claimed == o && !answered -> claimed = NO /* release_claim, in the same transaction */
     :: else
     fi
  fi;
  did(GIVE_UP, o, said)
}

inline settle(o) { /* what the sweeper is told */
  give_up(o);
  if
  :: said == PLACED ->
     assert(order[o] != NONE); /* LOST_ORDER */
     if
     :: order[o] == CANCELLED -> said = CANCELLED
     :: else
     fi
  :: else
  fi
}

/* --- who runs */

#define DONE o = NO; working--

/* place(): a request, a retry of the client, or the loop in place() with a fresh id. Its RESERVE is made by deliver(). What was
   answered a while ago may have changed since: that is for the next transaction to find out. */
proctype place(byte buyer; byte tries) {
  byte o = (KEYED(buyer) -> NO : buyer); /* the id under which it works */
end:
  do
  :: d_step { o == NO && tries > 0 && !fine && LOOKS -> look(o);
              if :: o != NO -> working++ :: else fi }
  :: d_step { o == NO && tries > 0 && !fine && SPENT && NEXT(CLAIM, NO) -> tries--; claim(o);
              if :: said == CLAIMED -> working++ :: else -> o = NO fi }
  :: d_step { o != NO && reservation[o] != NONE && NEXT(COMMIT, o) -> commit(o); /* its RESERVE was answered */
              if :: said == CONFLICT :: else -> DONE fi }                     /* whether or not the client hears of it */
#ifndef FAULT_RELEASE_UNASKED
  :: d_step { o != NO && NEXT(GIVE_UP, o) -> give_up(o); DONE } /* no answer in time, a store refused, or CONFLICT */
#else
  :: d_step { o != NO -> release(o); DONE }
#endif
  :: d_step { o != NO && refused[o] && NEXT(RELEASE_CLAIM, o) -> release_claim(o); DONE }
  :: d_step { o != NO -> DONE } /* crash, or nothing is left to do */
#ifdef FAULT_TWO_COMMITS /* the outcome in one transaction, the order in the next, and a crash between them */
  :: d_step { o != NO && reservation[o] != NONE && outcome[o] == NONE -> outcome[o] = PLACED; DONE }
#endif
  od
}

#define CANCEL_ORDER(o) :: d_step { order[o] == PENDING && !fine && NEXT(CANCEL, o) -> order[o] = CANCELLED; did(CANCEL, o, CANCELLED) }
active proctype cancel() {
end:
  do
  EACH(CANCEL_ORDER)
  od
}

/* What is under way: a RESERVE from somebody who waits, or no longer waits, or once more; a CONFIRM, because of ORDER_CREATED or
   because the sweeper was told PLACED; a RELEASE, because the order was cancelled or given up. In fine weather only what is certain,
   which is the event of a committed change, and only while it would change something. */
#ifdef FAULT_LOST_EVENT
#define ORDER_CANCELLED(o) (order[o] == CANCELLED && !fine)
#else
#define ORDER_CANCELLED(o) (order[o] == CANCELLED && (!fine || reservation[o] != RELEASED))
#endif
#define ORDER_CREATED(o) (order[o] != NONE && (!fine || reservation[o] == HELD))
#define DELIVER(o) \
  :: d_step { MADE(o) && !fine && NEXT(RESERVE, o) -> reserve(o) }                         \
  :: d_step { ORDER_CREATED(o) && NEXT(CONFIRM, o) -> confirm(o) }                         \
  :: d_step { ORDER_CANCELLED(o) && NEXT(RELEASE, o) -> release(o) }                       \
  :: d_step { outcome[o] == ABANDONED && !fine && NEXT(RELEASE, o) -> release(o) }
active proctype deliver() {
end:
  do
  EACH(DELIVER)
  od
}

/* A reservation may expire at any time; the question about it may come late, and again. */
#define EXPIRED(o) (reservation[o] == HELD || reservation[o] != NONE && !fine)
#define SWEEP(o) :: d_step { EXPIRED(o) && NEXT(GIVE_UP, o) -> settle(o); if :: fine && said != PLACED -> release(o) :: else fi }
#ifdef FAULT_SWEEP_UNASKED
#undef SWEEP
#define SWEEP(o) :: d_step { EXPIRED(o) -> release(o) }
#endif
#ifndef FAULT_NO_EXPIRY
active proctype sweep() {
end:
  do
  EACH(SWEEP)
  od
}
#endif

#ifndef TRACE
#define UNHELD(o) assert(reservation[o] != HELD);
#define KEPT(o) assert((order[o] == PENDING) == (reservation[o] == CONFIRMED));
#define SOLD0(o) + (order[o] == PENDING -> WANTS0(o) : 0)
#define SOLD1(o) + (order[o] == PENDING -> WANTS1(o) : 0)
init {
  byte i;
  atomic {
    for (i : 0 .. 2) { if :: i != TWICE -> run place(i, 0) :: else fi };
    for (i : 1 .. REQUESTS) { run place(TWICE, (i == 1 -> 2 : 1)) };
    i = 0
  };
  d_step { working == 0 -> fine = 1 };
  timeout; /* nobody can do anything any more */
  EACH(UNHELD) /* no stock is held for ever, */
  EACH(KEPT)   /* what was sold is kept, what was not sold is there again */
  assert(START0 == stock0 EACH(SOLD0));
  assert(START1 == stock1 EACH(SOLD1))
}
#else
#define OVER(o) && reservation[o] != HELD && ((order[o] == PENDING) == (reservation[o] == CONFIRMED))
active proctype go_on() {
end:
  do
  :: d_step { unsure -> advance() }
  :: d_step { wanted == QUIET EACH(OVER) -> c_code { allow(); } }
  od
}

init {
  byte i;
  d_step {
    LEARN(NONE) LEARN(HELD) LEARN(CONFIRMED) LEARN(RELEASED) LEARN(PLACED) LEARN(ABANDONED) LEARN(PENDING) LEARN(CANCELLED)
    LEARN(CLAIMED) LEARN(ANSWERED) LEARN(AGAIN) LEARN(REFUSED) LEARN(CONFLICT) LEARN(CLAIM) LEARN(RESERVE) LEARN(COMMIT) LEARN(GIVE_UP)
    LEARN(RELEASE_CLAIM) LEARN(RELEASE) LEARN(CONFIRM) LEARN(CANCEL) LEARN(QUIET)
    c_code { now.keyed = judge(); };
    at = -1; advance()
  };
  atomic { for (i : 0 .. 3) { run place(0, 255) } }
}
#endif

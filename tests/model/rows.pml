/* What order.pml takes for one step, statement by statement: the transactions of order-service (SERVICE 1) and of product-service (2)
   as PostgreSQL runs them at READ COMMITTED. Others commit between two statements; a statement sees what is committed when it begins,
   and what its own transaction has written. A row that somebody has inserted, changed, deleted or locked is his until he ends: whoever
   wants it waits, and looks again.

   tests/model/run explores each service twice: with ABORTS, where a transaction may end at any statement, for what becomes of the
   rows; and without, where nobody gives way, for deadlocks: then some cannot come to their ends. Then with each FAULT_, found without. */

#define NO 255
#define MINE(by) (by == NO || by == _pid)
#ifdef ABORTS
#define OR_ABORT :: atomic { skip; ROLLBACK }; goto over
#else
#define OR_ABORT
#endif

mtype = { NONE, PLACED, ABANDONED, HELD, CONFIRMED, RELEASED };

#if SERVICE == 1
/* --- order-service: three requests under one key, each of which gets so far and no farther, and a settlement. They meet at the id 0
   (that they may miss each other is in order.pml); whoever finds it spent takes a fresh one, which the key then holds. */

#define IDS 4
mtype outcome[IDS] = NONE, outcome_new[IDS] = NONE; /* as it is committed; as the owner of the row has written it */
byte outcome_by[IDS] = NO;                          /* the owner */
byte key = NO, key_new = NO;                        /* the row of the key in idempotency_keys: its resource; NO: there is no row */
byte answer = NO, answer_new = NO;                  /* and the order in its answer; NO: status 0 */
byte key_by = NO;
bit order[IDS];
byte made = 1;

#define TAKE_KEY key_by = _pid; key_new = key; answer_new = answer
#define LET_GO \
  if :: o != NO && outcome_by[o] == _pid -> outcome_by[o] = NO; outcome_new[o] = NONE :: else fi; \
  if :: key_by == _pid -> key_by = NO; key_new = NO; answer_new = NO :: else fi; \
  got = NONE; fresh = 0
#define WRITE \
  if :: o != NO && outcome_by[o] == _pid -> outcome[o] = outcome_new[o] :: else fi; \
  if :: key_by == _pid -> key = key_new; answer = answer_new :: else fi
#define ROLLBACK LET_GO

inline decide(wanted) { /* INSERT ... ON CONFLICT DO NOTHING; SELECT */
  if
  :: atomic { MINE(outcome_by[o]) ->
              if :: outcome[o] == NONE -> outcome_by[o] = _pid; outcome_new[o] = wanted; got = wanted :: else fi }
  OR_ABORT
  fi;
  atomic { if :: got == NONE -> got = outcome[o] :: else fi }
}

#ifdef FAULT_KEY_NOT_LOCKED /* as ON CONFLICT DO NOTHING would leave it */
#define LOCK_KEY skip
#else
#define LOCK_KEY TAKE_KEY
#endif
inline claim() { /* INSERT ... ON CONFLICT DO UPDATE ... WHERE it is a day old: that locks the row, a day old or not */
  if
  :: atomic { MINE(key_by) ->
              if :: key == NO -> TAKE_KEY; key_new = o; answer_new = NO; fresh = 1 :: else -> LOCK_KEY fi }
  OR_ABORT
  fi
}

inline release_claim() { /* DELETE ... WHERE resource = o AND status = 0 */
  if
  :: atomic { key != o || answer != NO || MINE(key_by) ->
              if :: key == o && answer == NO -> TAKE_KEY; key_new = NO :: else fi }
  OR_ABORT
  fi
}

inline settle_claim() { /* UPDATE ... SET status = 201 */
  if
  :: atomic { key == NO || MINE(key_by) ->
              if :: key_by == NO && key != NO -> TAKE_KEY :: else fi;
              if :: key_by == _pid -> answer_new = o :: else fi }
  OR_ABORT
  fi
}

inline give_up_in() {
#ifdef FAULT_KEY_FIRST /* commit_in takes the outcome first */
  release_claim();
#endif
  decide(ABANDONED);
  if
  :: got == ABANDONED -> release_claim()
  :: else
  fi;
  atomic { skip; WRITE; LET_GO }
}

inline commit_in() {
  decide(PLACED);
  if :: got == ABANDONED -> atomic { skip; ROLLBACK }; goto over :: else fi;
  claim();
  if :: atomic { !fresh && (key != o || answer != NO) -> ROLLBACK }; goto over :: else fi; /* CONFLICT, ANSWERED */
  if :: atomic { fresh -> answer_new = o } :: else -> settle_claim() fi; /* claim_answered: one INSERT, or an UPDATE of an open claim */
  atomic {
    order[o] = 1; WRITE; LET_GO;
    assert(order[0] + order[1] + order[2] + order[3] == 1); /* one order a key, */
    assert(key != NO && key == answer && order[answer]) /* and the key leads to it */
  }
}

active [3] proctype request() {
  byte o = NO;
  mtype got = NONE;
  bit fresh;

  atomic { o = (key == NO -> 0 : key) }; /* standing_claim */
  if
  :: skip
  :: release_claim(); /* pass_on, in one transaction */
     atomic { o = made; made++ };
     claim();
     atomic { WRITE; if :: !fresh -> o = key :: else fi; LET_GO }
  fi;
  if
  :: o == NO -> skip /* the key was freed meanwhile: unavailable */
  :: o != NO -> commit_in()
  :: o != NO -> give_up_in()
  :: o != NO -> release_claim(); atomic { skip; WRITE; LET_GO }
  fi;
over:
  atomic { o = NO; got = NONE }
}

active proctype settle() {
  byte o = NO;
  mtype got = NONE;
  bit fresh;

  if :: o = 0 :: o = 1 :: o = 2 :: o = 3 fi;
  give_up_in();
  assert(outcome[o] == ABANDONED || order[o]); /* LOST_ORDER */
over:
  atomic { o = NO; got = NONE }
}

#else
/* --- product-service: two orders want one of each of two variants, of which there are PIECES; everything is asked for twice */

#ifndef PIECES
#define PIECES 2
#endif
#define IDS 2
mtype reservation[IDS] = NONE, reservation_new[IDS] = NONE;
byte reservation_by[IDS] = NO;
short stock[2] = PIECES, stock_new[2];
byte stock_by[2] = NO;

#define LET_GO_OF(o) if :: reservation_by[o] == _pid -> reservation_by[o] = NO; reservation_new[o] = NONE :: else fi
#define WRITE_ONE(o) if :: reservation_by[o] == _pid -> reservation[o] = reservation_new[o] :: else fi
#define FREE(v) if :: stock_by[v] == _pid -> stock_by[v] = NO; stock_new[v] = 0 :: else fi
#define STORE(v) if :: stock_by[v] == _pid -> stock[v] = stock_new[v] :: else fi
#define ROLLBACK LET_GO_OF(0); LET_GO_OF(1); FREE(0); FREE(1); done = 0
#define COMMIT WRITE_ONE(0); WRITE_ONE(1); STORE(0); STORE(1); ROLLBACK

inline insert_reservation(o, status) { /* INSERT ... ON CONFLICT DO NOTHING */
  if
  :: atomic { MINE(reservation_by[o]) ->
              if :: reservation[o] == NONE -> reservation_by[o] = _pid; reservation_new[o] = status; done = 1 :: else fi }
  OR_ABORT
  fi
}

inline set_reservation(o, before, after) { /* UPDATE ... WHERE status = before */
  if
  :: atomic { reservation[o] != before || MINE(reservation_by[o]) ->
              if :: reservation[o] == before -> reservation_by[o] = _pid; reservation_new[o] = after; done = 1 :: else fi }
  OR_ABORT
  fi
}

inline take_stock(v) { /* UPDATE ... SET stock = stock - 1 WHERE stock >= 1 */
#ifdef FAULT_ABSOLUTE_STOCK
  seen = stock[v];
  if
  :: atomic { seen >= 1 && MINE(stock_by[v]) -> stock_by[v] = _pid; stock_new[v] = seen - 1 }
  :: seen < 1 -> atomic { skip; ROLLBACK }; goto over
  fi
#else
  if
  :: atomic { stock[v] >= 1 && MINE(stock_by[v]) -> stock_by[v] = _pid; stock_new[v] = stock[v] - 1 }
  :: atomic { stock[v] < 1 -> ROLLBACK }; goto over /* INSUFFICIENT_STOCK */
  OR_ABORT
  fi
#endif
}

inline change_stock(v) { /* UPDATE ... SET stock = stock + 1 */
  if
  :: atomic { MINE(stock_by[v]) -> if :: stock_by[v] == NO -> stock_by[v] = _pid; stock_new[v] = stock[v] :: else fi; stock_new[v]++ }
  OR_ABORT
  fi
}

inline release_in(o) {
  insert_reservation(o, RELEASED);
  if
  :: done -> skip /* the gravestone */
  :: else ->
#ifdef FAULT_CONFIRMED_FIRST /* what is confirmed between the two statements escapes both */
     set_reservation(o, CONFIRMED, RELEASED);
     if :: !done -> set_reservation(o, HELD, RELEASED) :: else fi;
#else
     set_reservation(o, HELD, RELEASED);
     if :: !done -> set_reservation(o, CONFIRMED, RELEASED) :: else fi;
#endif
     if :: done -> change_stock(0); change_stock(1) :: else fi
  fi;
  done = 0
}

active [4] proctype reserve() { /* reserve_in */
  byte o = _pid % 2;
  bit done;
  short seen;

  insert_reservation(o, HELD);
  if :: !done -> goto over :: else fi;
#ifdef FAULT_LINES_UNORDERED
  if
  :: o == 1 -> take_stock(1); take_stock(0)
  :: else -> take_stock(0); take_stock(1)
  fi;
#else
  take_stock(0); take_stock(1);
#endif
  atomic { skip; COMMIT };
over:
  atomic { done = 0; seen = 0 }
}

active [2] proctype confirm() { /* confirm_reservations: all at once, in the order of ids */
  bit done;

#ifdef FAULT_CONFIRMED_UNORDERED
  if
  :: _pid % 2 -> set_reservation(1, HELD, CONFIRMED); set_reservation(0, HELD, CONFIRMED)
  :: else -> set_reservation(0, HELD, CONFIRMED); set_reservation(1, HELD, CONFIRMED)
  fi;
#else
  set_reservation(0, HELD, CONFIRMED); set_reservation(1, HELD, CONFIRMED);
#endif
  atomic { skip; COMMIT };
over:
  done = 0
}

active [3] proctype release() { /* release_in: each order in a transaction of its own */
  bit done;

#ifdef FAULT_RELEASED_TOGETHER
  release_in(0); release_in(1);
#else
  if
  :: _pid % 2 -> release_in(1)
  :: else -> release_in(0)
  fi;
#endif
  atomic { skip; COMMIT; assert(reservation[_pid % 2] == RELEASED) };
over:
  done = 0
}

#define TAKEN(o) (reservation[o] == HELD || reservation[o] == CONFIRMED)
active proctype judge() {
  timeout; /* all have ended */
  assert(stock[0] >= 0 && stock[1] >= 0);
  assert(stock[0] + TAKEN(0) + TAKEN(1) == PIECES && stock[1] + TAKEN(0) + TAKEN(1) == PIECES)
}
#endif

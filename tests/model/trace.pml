/* The model as the judge of a trace: order.pml includes this when TRACE is set. What happens must be the next step of the trace,
   with the same answer; which handler does it, and what nobody sees (crashes, lost calls), is the model's choice. The stock is not
   the trace's: whether it suffices is what the trace says. When the trace ends, it is quiet. tests/model/traces has the rest. */
#define ORDERS 16
#define EACH(step) step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7) \
                   step(8) step(9) step(10) step(11) step(12) step(13) step(14) step(15)
#define KEYED(o) keyed
#define MADE(o) (!keyed || (made >> (o)) & 1) /* here `made` is a set */
#define LOOKS (wanted_order != NO && (wanted == RESERVE || wanted == COMMIT || wanted == GIVE_UP || wanted == RELEASE_CLAIM))
inline look(o) { o = wanted_order; made = made | (1 << o) } /* nobody sees it, and it may have been a while ago */
#define SPENT keyed /* an id that nobody committed under is in a placing of its own */
#define MORE (!((made >> wanted_order) & 1))
#define FRESH wanted_order; made = made | (1 << wanted_order)
#define AND_UNPLACED(o) && order[o] == NONE
#define UNPLACED (true EACH(AND_UNPLACED))
#define WANTS0(o) 1
#define WANTS1(o) 1
#define START0 16
#define START1 16
#define HAS(stock, wanted) (answer_wanted != REFUSED)

bit keyed;
short at;
mtype wanted = NONE, answer_wanted = NONE;
byte wanted_order;
bit unsure; /* nobody knows whether the wanted step happened */

c_decl { \#include "trace.h" };

inline advance() { at++; c_code { load_step(now.at, &now.wanted, &now.wanted_order, &now.answer_wanted, &unsure_step); now.unsure = unsure_step; } }

#define NEXT(action, o) (wanted == action && ((o) == NO || (o) == wanted_order))
inline did(action, o, answer) {
  if
  :: wanted == action && wanted_order == o && answer_wanted == answer -> advance()
  :: else -> wanted = NONE; unsure = 0 /* it went otherwise: this way ends here */
  fi
}

#define LEARN(name) wanted = name; c_code { learn(#name, now.wanted); };

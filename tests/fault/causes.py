"""What a crowd lost while things were killed, by what was killed: how long buyers waited because of it while it was away, and how long after it was back.

A lost attempt (no answer, or 5xx) is charged with the time from sending it to sending the next. Its cause is what its answer names, or what was killed
last before it failed. Seconds are those of the crowd as a whole: the buyers' waits, divided by their number.
"""
import dataclasses
import json
import re

NEEDS = {"auth-service": "postgres", "product-service": "postgres", "order-service": "postgres", "cart-service": "redis", "search-service": "elasticsearch"}
STORES = {"postgres": "database", "redis": "key-value store", "elasticsearch": "search"}  # by what a service's answer calls them
NOBODY = "nothing that was killed"


@dataclasses.dataclass
class Kill:
    name: str            # what was killed: a service's instance, a store, the shop
    at: float
    back: float = None   # when it answered again by itself; None: not before the end

    @property
    def what(self):
        return re.sub(r"-\d+$", "", self.name)


@dataclasses.dataclass
class Loss:
    kills: int = 0
    attempts: int = 0
    away_s: float = 0.0    # until it was back
    after_s: float = 0.0   # since
    longest_s: float = 0.0  # from its being back to the last failure of that kill


def suspects(status, said, known):
    """What the answer says it was; nothing when it does not say."""
    if status is None:
        return {"api-gateway", "shop"} & known
    try:
        message = json.loads(said)["message"]
    except (ValueError, KeyError, TypeError):
        message = said
    named = {name for name in known if name in message}
    if "no healthy instance" in message.lower():  # a service whose store was away is ill until it has registered again; Consul may have forgotten it
        named |= {NEEDS.get(name) for name in named} | {"consul"}
    return named & known or {name for name, called in STORES.items() if called in message and name in known}


def breakdown(record, kills, buyers):
    """{what was killed: Loss}, most expensive first."""
    kills = sorted(kills, key=lambda kill: kill.at)
    known = {kill.what for kill in kills}
    losses = {name: Loss(kills=sum(kill.what == name for kill in kills)) for name in known}
    for at, waited, status, said in record.losses:
        wanted = suspects(status, said, known) or known
        cause = next((kill for kill in reversed(kills) if kill.at <= at and kill.what in wanted), None)
        loss = losses.setdefault(cause.what if cause else NOBODY, Loss())
        loss.attempts += 1
        away = min(waited, max(0.0, (cause.back or at) - (at - waited))) if cause else 0.0
        loss.away_s += away / buyers
        loss.after_s += (waited - away) / buyers
        if cause and cause.back:
            loss.longest_s = max(loss.longest_s, at - cause.back)
    return dict(sorted(losses.items(), key=lambda each: -(each[1].away_s + each[1].after_s)))


def lines(losses):
    total = sum(loss.away_s + loss.after_s for loss in losses.values())
    yield f"  unavailable_s={total:.1f}, by what was killed: seconds while it was away + after it was back"
    for name, loss in losses.items():
        if loss.attempts:
            yield (f"    {name}: {loss.away_s:.1f} + {loss.after_s:.1f} s in {loss.kills} kills, {loss.attempts} attempts,"
                   f" the last {loss.longest_s:.1f} s after it was back")
    free = [f"{name} ({loss.kills})" for name, loss in losses.items() if not loss.attempts]
    if free:
        yield f"    nothing: {', '.join(free)}"

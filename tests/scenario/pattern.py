"""What an answer must look like, written as JSON with a few words more. tests/scenario/README.md shows them all.

`parse(text)` gives a pattern, `pattern.faults(value, captures)` the differences: [(path, expected, came)].
Numbers are read as int or Decimal, so that 11.5 is what the server wrote and nothing near it.
"""
import datetime
import decimal
import json
import re

MONEY = re.compile(r"(0|[1-9]\d*)(\.\d?[1-9])?")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class BadPattern(Exception):
    pass


def number(value):
    return isinstance(value, (int, decimal.Decimal)) and not isinstance(value, bool)


def real_date(text):
    if not DATE.fullmatch(text):
        return False
    try:
        datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError:
        return False
    return True


WORDS = {
    "*": lambda v: True,
    "string": lambda v: isinstance(v, str),
    "text": lambda v: isinstance(v, str) and v.strip() != "",
    "number": number,
    "int": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "bool": lambda v: isinstance(v, bool),
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "uuid": lambda v: isinstance(v, str) and bool(UUID.fullmatch(v)),
    "date": lambda v: isinstance(v, str) and real_date(v),
    "money": lambda v: isinstance(v, str) and bool(MONEY.fullmatch(v)),
    "texts": lambda v: isinstance(v, dict) and all(re.fullmatch("[a-z]{2}", k) and isinstance(t, str) for k, t in v.items()),
}


def shown(value, limit=160):
    text = json.dumps(value, ensure_ascii=False, default=float)
    return text if len(text) <= limit else text[:limit] + "…"


class Check:
    """A value that fulfils a condition; `said` is how the file wrote it."""

    def __init__(self, said, holds):
        self.said, self.holds = said, holds

    def faults(self, value, captures, path=""):
        return [] if self.holds(value) else [(path, self.said, shown(value))]


class Literal(Check):
    def __init__(self, wanted):
        super().__init__(shown(wanted), lambda v: v == wanted and isinstance(v, bool) == isinstance(wanted, bool))


class Object:
    def __init__(self, members, rest):
        self.members, self.rest = members, rest

    @property
    def said(self):
        return "an object"

    def faults(self, value, captures, path=""):
        if not isinstance(value, dict):
            return [(path, "an object", shown(value))]
        found = []
        for name, pattern in self.members.items():
            at = f"{path}.{name}" if path else name
            if name not in value:
                found.append((at, "to be there", "no such member"))
            else:
                found += pattern.faults(value[name], captures, at)
        if not self.rest:
            found += [(f"{path}.{name}" if path else name, "no such member", shown(value[name])) for name in value if name not in self.members]
        return found


class Array:
    """[a, b] · [a, ...] begins so · [..., a] ends so · [..., a, ...] holds it."""

    def __init__(self, items, open_start, open_end):
        self.items, self.open_start, self.open_end = items, open_start, open_end

    @property
    def said(self):
        return "an array"

    def faults(self, value, captures, path=""):
        if not isinstance(value, list):
            return [(path, "an array", shown(value))]
        count = len(self.items)
        if not self.open_start and not self.open_end and len(value) != count or len(value) < count:
            return [(path, f"{count} elements" + (" at least" if self.open_start or self.open_end else ""), f"{len(value)}: {shown(value)}")]
        last = len(value) - count
        starts = range(last + 1) if self.open_start and self.open_end else [last] if self.open_start else [0]
        best = None
        for start in starts:
            tried = dict(captures)
            found = []
            for i, pattern in enumerate(self.items):
                found += pattern.faults(value[start + i], tried, f"{path}[{start + i}]")
            if not found:
                captures.update(tried)
                return []
            if best is None or len(found) < len(best):
                best = found
        return best if best is not None else []


class Unordered:
    def __init__(self, items):
        self.items = items
        self.said = "an array in any order"

    def faults(self, value, captures, path=""):
        if not isinstance(value, list) or len(value) != len(self.items):
            return [(path, f"{len(self.items)} elements in any order", shown(value))]
        left = list(enumerate(value))
        for pattern in self.items:
            for at, (_, element) in enumerate(left):
                tried = dict(captures)
                if not pattern.faults(element, tried):
                    captures.update(tried)
                    del left[at]
                    break
            else:
                return [(path, f"an element that is {pattern.said}", shown([e for _, e in left]))]
        return []


class Each:
    def __init__(self, pattern, least):
        self.pattern, self.least = pattern, least
        self.said = f"an array of {pattern.said}"

    def faults(self, value, captures, path=""):
        if not isinstance(value, list):
            return [(path, "an array", shown(value))]
        if len(value) < self.least:
            return [(path, f"at least {self.least} element", shown(value))]
        found = []
        for i, element in enumerate(value):
            found += self.pattern.faults(element, captures, f"{path}[{i}]")
        return found


class Either:
    def __init__(self, choices):
        self.choices = choices
        self.said = " | ".join(choice.said for choice in choices)

    def faults(self, value, captures, path=""):
        for choice in self.choices:
            tried = dict(captures)
            if not choice.faults(value, tried, path):
                captures.update(tried)
                return []
        return [(path, self.said, shown(value))]


class Captured:
    def __init__(self, pattern, name):
        self.pattern, self.name = pattern, name
        self.said = pattern.said

    def faults(self, value, captures, path=""):
        found = self.pattern.faults(value, captures, path)
        if not found:
            captures[self.name] = value
        return found


TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<regex>/(?:[^/\\\n]|\\.)+/)|(?P<number>-?\d+(?:\.\d+)?)|(?P<rest>\.\.\.)"""
    r"""|(?P<compare><=|>=|!=|<|>)|(?P<word>[A-Za-z_][\w.]*)|(?P<mark>[{}\[\],:|*]))""")


class Parser:
    def __init__(self, text):
        self.tokens = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                raise BadPattern(f"cannot read the expectation from here: {text[at:at + 60].strip()!r}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self.at = 0

    def peek(self, text=None):
        kind, value = self.tokens[self.at] if self.at < len(self.tokens) else (None, None)
        return value == text and kind != "string" if text is not None else (kind, value)

    def take(self, text=None):
        kind, value = self.peek()
        if kind is None or text is not None and value != text:
            raise BadPattern(f"{text or 'something'} is wanted, not {value or 'the end'}")
        self.at += 1
        return kind, value

    def skip(self, text):
        if self.peek(text):
            self.at += 1
            return True
        return False

    def pattern(self):
        choices = [self.single()]
        while self.skip("|"):
            choices.append(self.single())
        pattern = choices[0] if len(choices) == 1 else Either(choices)
        if self.skip("as"):
            pattern = Captured(pattern, self.take()[1])
        return pattern

    def single(self):
        kind, value = self.take()
        if kind == "string":
            return Literal(json.loads(value))
        if kind == "number":
            return Literal(decimal.Decimal(value) if "." in value else int(value))
        if kind == "regex":
            wanted = re.compile(value[1:-1].replace("\\/", "/"))
            return Check(value, lambda v: isinstance(v, str) and bool(wanted.search(v)))
        if kind == "compare":
            return self.comparison(value)
        if value == "{":
            return self.object()
        if value == "[":
            return self.array()
        if value in ("true", "false", "null"):
            return Literal({"true": True, "false": False, "null": None}[value])
        if value == "like":
            glob = json.loads(self.take()[1])
            wanted = re.compile(".*".join(re.escape(piece) for piece in glob.split("*")), re.S)
            return Check(f'like "{glob}"', lambda v: isinstance(v, str) and bool(wanted.fullmatch(v)))
        if value == "each":
            return Each(self.single(), 0)
        if value == "some":
            return Each(self.single(), 1)
        if value == "unordered":
            self.take("[")
            items = []
            while not self.skip("]"):
                items.append(self.pattern())
                self.skip(",")
            return Unordered(items)
        if value in WORDS:
            return Check(value if value != "*" else "anything", WORDS[value])
        raise BadPattern(f"{value!r} is no word of patterns")

    def comparison(self, sign):
        kind, value = self.take()
        if kind == "string":
            wanted, right_type = json.loads(value), lambda v: isinstance(v, str)
        elif kind == "number":
            wanted, right_type = decimal.Decimal(value), number
        else:
            raise BadPattern(f"{sign} needs a number or a string")
        holds = {"<": lambda v: v < wanted, ">": lambda v: v > wanted, "<=": lambda v: v <= wanted, ">=": lambda v: v >= wanted,
                 "!=": lambda v: v != wanted}[sign]
        return Check(f"{sign} {value}", lambda v: right_type(v) and holds(v))

    def object(self):
        members, rest = {}, False
        while not self.skip("}"):
            if self.skip("..."):
                rest = True
            else:
                kind, name = self.take()
                self.take(":")
                members[json.loads(name) if kind == "string" else name] = self.pattern()
            if not self.peek("}"):
                self.take(",")
        return Object(members, rest)

    def array(self):
        items, open_start, open_end = [], False, False
        while not self.skip("]"):
            if self.skip("..."):
                if items:
                    open_end = True
                else:
                    open_start = True
            else:
                items.append(self.pattern())
            if not self.peek("]"):
                self.take(",")
        if not items and open_start:
            open_start, open_end = False, True
        return Array(items, open_start, open_end)


def parse(text):
    parser = Parser(text)
    pattern = parser.pattern()
    if parser.at != len(parser.tokens):
        raise BadPattern(f"unexpected {parser.peek()[1]!r} after the expectation")
    return pattern


def loads(body):
    return json.loads(body, parse_float=decimal.Decimal)

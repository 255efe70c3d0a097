"""Loaded into Schemathesis by run.py: a text of an answer that begins like a link and is none ("http://[") ended the whole run, and once the
shop had kept it, every run after it."""
from schemathesis.engine import observations

careless = observations._same_origin_path


def same_origin_path(value, origin):
    try:
        return careless(value, origin)
    except ValueError:
        return None


observations._same_origin_path = same_origin_path

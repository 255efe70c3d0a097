# shellcheck shell=bash
proved='index, fuzzy search; the document survives kill9'

ask() { curl -sS -f -m 20 -H 'Content-Type: application/json' "$@"; }

found() { # PORT: how many documents a misspelt word finds
  ask "http://127.0.0.1:$1/checked/_search" -d '{"query": {"match": {"name": {"query": "shose", "fuzziness": "AUTO"}}}}' |
    grep -o '"total":{"value":[0-9]*' | grep -o '[0-9]*$'
}

check() { # PORT
  ask -X PUT "http://127.0.0.1:$1/checked" -o /dev/null -d '{"settings": {"number_of_replicas": 0, "analysis": {"analyzer":
    {"folded": {"tokenizer": "standard", "filter": ["lowercase", "asciifolding"]}}}},
    "mappings": {"properties": {"name": {"type": "text", "analyzer": "folded"}}}}'
  ask -X PUT "http://127.0.0.1:$1/checked/_doc/1?refresh=true" -o /dev/null -d '{"name": "Running Shoes"}'
  expect 'documents found' 1 "$(found "$1")"
}

after_crash() { # PORT
  expect 'documents found after kill9' 1 "$(found "$1")"
}

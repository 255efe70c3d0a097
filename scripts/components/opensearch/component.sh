# OpenSearch 2, which speaks the same API.
# shellcheck shell=bash
. "$here/search.sh"

# Elasticsearch 7.10.2, the last release under Apache-2.0, whole: its modules come from CodeLibs.
# shellcheck shell=bash
. "$here/search.sh"

# shellcheck shell=bash
. "$here/elasticsearch/check.sh"

# shellcheck shell=bash
proved='create, insert, select; the row survives kill9'

check() { # PORT
  "$here/createdb" "$dir" "$1" auth_db product_db order_db
  "$here/createdb" "$dir" "$1" order_db # a second time is no fault
  sql "$1" order_db -c 'CREATE TABLE checked (id bigint PRIMARY KEY, name text NOT NULL)' \
    -c "INSERT INTO checked VALUES (1, 'crème brûlée')"
  expect 'the row' 'crème brûlée' "$(sql "$1" order_db -c 'SELECT name FROM checked WHERE id = 1')"
  expect 'durable settings' 'on|on|200' "$(sql "$1" order_db -c "SELECT current_setting('fsync'),
    current_setting('synchronous_commit'), current_setting('max_connections')")"
}

after_crash() { # PORT
  expect 'the row after kill9' 'crème brûlée' "$(sql "$1" order_db -c 'SELECT name FROM checked WHERE id = 1')"
}

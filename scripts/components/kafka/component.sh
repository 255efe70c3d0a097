# Kafka in KRaft mode, one node.
# shellcheck shell=bash
. "$here/java.sh"
version=$(pom_version)
kept=$cache/$name-$version

command_path() { echo "$kept/lib"; }
installed() { [ -d "$kept/lib" ] && [ -d "$kept/formatted" ] && has kcat; }

install_component() {
  local files=("$here/kafka/pom.xml" "$here/kafka/Topics.java" "$here/kafka/server.properties.in")
  has kcat || apt_install kcat
  is_kept "$name-$version" "${files[@]}" && find_java && return
  install_java
  keep "$name-$version" build "${files[@]}"
}

# Formatting an empty log folder takes a JVM and a second: done here once, copied by every first start.
build() { # RESULT SCRATCH
  fetch_jars "$1" "$2"
  compile "$1" "$here/kafka/Topics.java"
  properties 9092 "$1/formatted" >"$2/server.properties"
  timeout 120 nice "$java_home/bin/java" "${small_jvm[@]}" -Xmx96m "${quiet[@]}" -cp "$1/lib/*" \
    kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c "$2/server.properties" >"$2/format.log" 2>&1 ||
    { cat "$2/format.log" >&2 && fail "kafka $version cannot format its log folder"; }
}

properties() { # PORT DATA
  sed -e "s|@PORT@|$1|g" -e "s|@CONTROLLER_PORT@|$(($1 + 1))|g" -e "s|@DATA@|$2|g" "$here/kafka/server.properties.in"
}

server=yes
program=kafka.Kafka
neighbours=1 # PORT+1 controller
quiet=(-Dorg.slf4j.simpleLogger.defaultLogLevel=warn)

prepare() { # PORT
  local setting
  need_java
  if [ ! -d "$home/data" ]; then
    rm -rf "$home/data.new"
    cp -r "$kept/formatted" "$home/data.new"
    mv "$home/data.new" "$home/data"
  fi
  properties "$1" "$home/data" >"$home/server.properties"
  for setting in ${KAFKA_SETTINGS:-}; do echo "$setting" >>"$home/server.properties"; done
  launch=("$java_home/bin/java" "${small_jvm[@]}" -Xms64m "-Xmx${KAFKA_HEAP:-192m}" -Xss512k
    -XX:MaxMetaspaceSize=128m -XX:MaxDirectMemorySize=64m -XX:ReservedCodeCacheSize=48m
    "${quiet[@]}" -cp "$kept/lib/*" kafka.Kafka "$home/server.properties")
}

answers() { # PORT: the broker lists itself, so it is registered and not fenced
  [[ $(timeout 5 kcat -L -b "127.0.0.1:$1" -m 2 2>/dev/null) == *"broker 1 at 127.0.0.1:$1"* ]]
}

topics() { # PORT NAME:PARTITIONS...
  need_java
  timeout 60 "$java_home/bin/java" "${small_jvm[@]}" -Xmx96m "${quiet[@]}" -cp "$kept/classes:$kept/lib/*" Topics "$@"
}

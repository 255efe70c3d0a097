# What Elasticsearch and OpenSearch share: one launcher, one way to start. Sourced by their component.sh.
# shellcheck shell=bash
. "$here/java.sh"
version=$(pom_version)
kept=$cache/$name-$version
launcher=$here/elasticsearch/SearchNode.java

command_path() { echo "$kept/lib"; }
installed() { [ -d "$kept/classes" ] && has curl; }

install_component() {
  local files=("$here/$name/pom.xml" "$launcher")
  has curl || apt_install curl
  is_kept "$name-$version" "${files[@]}" && find_java && return
  install_java
  keep "$name-$version" build "${files[@]}"
}

build() { # RESULT SCRATCH
  fetch_jars "$1" "$2"
  sed "s/org\.elasticsearch\./org.$name./" "$launcher" >"$2/SearchNode.java"
  compile "$1" "$2/SearchNode.java"
}

server=yes
program=SearchNode
neighbours=1 # PORT+1 transport

prepare() { # PORT
  local heap=${SEARCH_HEAP:-256m}
  need_java
  mkdir -p "$home/config" "$home/tmp"
  cp "$here/elasticsearch/log4j2.properties" "$home/config/"
  launch=("$java_home/bin/java" "${small_jvm[@]}" "-Xms$heap" "-Xmx$heap" -XX:MaxDirectMemorySize=64m
    "-Djava.io.tmpdir=$home/tmp" "-Djna.tmpdir=$home/tmp"
    -Dlog4j2.disable.jmx=true "-Dlog4j.configurationFile=$home/config/log4j2.properties"
    -Dio.netty.allocator.numDirectArenas=0 -cp "$kept/classes:$kept/lib/*" SearchNode "$home" "$1")
}

answers() { # PORT
  curl -sf -m 3 -o /dev/null "http://127.0.0.1:$1/_cluster/health?wait_for_status=yellow&timeout=1s"
}

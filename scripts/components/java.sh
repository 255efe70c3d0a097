# Programs that exist as Maven artifacts: a Java 17, and the jars. Sourced by component.sh files.
# shellcheck shell=bash

# find_java: sets java_home to a JDK 17, the version all of this is proven on: JAVA_HOME, else
# Debian's, else the java on the path. Installing needs javac, starting does not.
find_java() {
  local path
  for java_home in "${JAVA_HOME:-}" /usr/lib/jvm/java-17-openjdk-*; do
    is_java_17 "$java_home" && return
  done
  path=$(command -v java) && java_home=$(dirname "$(dirname "$(realpath "$path")")") && is_java_17 "$java_home"
}

is_java_17() { # JAVA_HOME, asked without starting it
  grep -qs '^JAVA_VERSION="17[."]' "$1/release"
}

find_jdk() { find_java && [ -x "$java_home/bin/javac" ]; }

need_java() { find_java || fail "Java 17 is missing: run scripts/components/install $name"; }

install_java() {
  { find_jdk && has mvn; } || apt_install openjdk-17-jdk-headless maven
  find_jdk || fail "no JDK 17: install openjdk-17-jdk-headless or set JAVA_HOME to one"
  has mvn || fail "no mvn: install Debian's maven"
}

pom_version() { sed -n 's|^  <version>\(.*\)</version>$|\1|p' "$here/$name/pom.xml"; }

# fetch_jars RESULT SCRATCH: what pom.xml needs at run time, into RESULT/lib.
fetch_jars() {
  echo "fetching $name $version" >&2
  JAVA_HOME=$java_home MAVEN_OPTS="-XX:-UsePerfData ${MAVEN_OPTS:-}" \
    retry 600 "$2/log" mvn -B -q -f "$here/$name/pom.xml" "-Dmaven.repo.local=$2/m2" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime "-DoutputDirectory=$1/lib" ||
    fail "the jars of $name $version could not be fetched"
}

compile() { # RESULT SOURCE...: into RESULT/classes
  local result=$1
  shift
  nice "$java_home/bin/javac" -J-XX:-UsePerfData -proc:none -nowarn -cp "$result/lib/*" -d "$result/classes" "$@" >&2 ||
    fail "the launcher of $name $version does not compile"
}

# -UsePerfData: no file in /tmp.
small_jvm=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:-UsePerfData)

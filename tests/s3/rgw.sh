#!/usr/bin/env bash
# A real S3 server for tests: Ceph's RADOS Gateway, with a monitor and an object store daemon of its own, all on
# loopback and all in one directory. Objects live in memory; with RGW_STORE=bluestore in a sparse file that survives
# `kill -9` of everything.
#
#   rgw.sh run   DIR [PORT]   start; print "ready PORT"; obey lines on stdin (kill, start, pause, resume: each answered
#                             with "ok"); at the end of stdin or on a signal stop everything and exit
#   rgw.sh start DIR [PORT]   start, print "ready PORT", leave it running
#   rgw.sh stop  DIR          stop what start left running
#   rgw.sh kill|revive|pause|resume DIR   the gateway of a server left running: kill -9, start again, SIGSTOP, SIGCONT
#
# PORT 0, or none, takes a free one. Keys: RGW_ACCESS_KEY, RGW_SECRET_KEY. Needs Debian's radosgw, ceph-mon, ceph-osd,
# ceph-common and curl.
set -euo pipefail

readonly action=${1:?action} dir=$(realpath -m "${2:?directory}")
readonly access_key=${RGW_ACCESS_KEY:-anclora-test-key} secret_key=${RGW_SECRET_KEY:-anclora-test-secret}
readonly conf=$dir/ceph.conf
readonly osd_id=0c4a2f3e-7d1b-4b0a-8f65-2a9be1f6c9d4

note() { echo "rgw.sh: $*" >&2; }

# Sets `port`: below the ephemeral range, nobody answers there, and no other of these servers has taken it, also if it does
# not listen yet. The lock goes with the processes that are started later and ends with the last of them.
take_port() {
  local locks=${TMPDIR:-/tmp}/anclora-s3-ports-$UID lock
  mkdir -p "$locks"
  for ((i = 0; i < 100; i++)); do
    port=$((31010 + RANDOM % 1700))
    exec {lock}>"$locks/$port"
    if flock -n "$lock" && ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
    exec {lock}>&-
  done
  note "no free port"
  return 1
}

is_running() { [[ $(ps -o stat= -p "$1") =~ ^[^Z] ]]; }

# The process noted under a name, only while it still runs with our configuration: pids are used again.
pid_of() {
  local pid
  pid=$(cat "$dir/$1.pid" 2>/dev/null) || return 1
  [[ $({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null) == *" $conf "* ]] || return 1
  is_running "$pid" || return 1
  echo "$pid"
}

daemon() { # name, command...: in a session of its own, holding none of our pipes open
  local name=$1
  shift
  setsid "$@" >"$dir/$name.out" 2>&1 </dev/null 3>&- &
  local pid=$!
  echo "$pid" >"$dir/$name.pid"
  disown
  # Until it has become the program, its command line is this script's: pid_of would take it for a stranger, so dead.
  until pid_of "$name" >/dev/null || ! is_running "$pid"; do sleep 0.01; done
}

terminate() {
  local pid
  if pid=$(pid_of "$1"); then
    kill -KILL "$pid" 2>/dev/null || true
    while pid_of "$1" >/dev/null; do sleep 0.01; done
  fi
  rm -f "$dir/$1.pid"
}

stop_all() { for name in gateway osd mon; do terminate "$name"; done; }

give_up() {
  note "$1"
  tail -qn 4 "$dir"/*.out "$dir"/*.log >&2 2>/dev/null || true
  stop_all
  exit 1
}

until_true() { # seconds, daemon that must live, what for, command...
  local deadline=$((SECONDS + $1)) owner=$2 what=$3
  shift 3
  until "$@"; do
    pid_of "$owner" >/dev/null || return 1
    ((SECONDS < deadline)) || give_up "timed out waiting for $what"
    sleep 0.05
  done
}

write_conf() { # monitor port, gateway port
  echo "$2" >"$dir/port"
  cat >"$conf" <<CONF
[global]
  fsid = $cluster_id
  mon host = [v2:127.0.0.1:$1]
  ms bind ipv6 = false
  ms bind msgr1 = false
  ms mon client mode = crc
  auth cluster required = none
  auth service required = none
  auth client required = none
  run dir = $dir/run
  admin socket =
  pid file =
  log file = $dir/\$name.log
  osd pool default size = 1
  osd pool default min size = 1
  osd pool default pg num = 4
  osd pool default pgp num = 4
  osd pool default pg autoscale mode = off
  osd crush chooseleaf type = 0
  mon allow pool size one = true
  mon max pg per osd = 1000
  paxos propose interval = 0.05
  paxos min wait = 0.02
[mon]
  mon data = $dir/mon
  mon data avail crit = 0
  mon cluster log file = $dir/cluster.log
[osd]
  public addr = 127.0.0.1
  cluster addr = 127.0.0.1
  osd data = $dir/osd
  osd objectstore = ${RGW_STORE:-memstore}
  memstore device bytes = ${RGW_MEMORY_BYTES:-4294967296}
  bluestore block size = 8589934592
  bluestore fsck on mount = false
  osd memory target = 939524096
  osd crush initial weight = 1
  osd op num shards = 2
  osd op num threads per shard = 2
[client.rgw]
  rgw frontends = beast endpoint=127.0.0.1:$2 tcp_nodelay=1
  rgw dns name = s3.localhost
  rgw thread pool size = 64
  rgw override bucket index max shards = 1
  rgw enable lc threads = false
  rgw enable quota threads = false
  rgw run sync thread = false
  rgw gc obj min wait = 2
  rgw gc processor period = 5
CONF
}

gateway_answers() { curl -s -o "$dir/probe.out" --max-time 2 "http://127.0.0.1:$(<"$dir/port")/"; }
osd_is_up() { grep -q 'state: booting -> active' "$dir/osd.0.log" 2>/dev/null; }

start_osd() {
  : >"$dir/osd.0.log"
  daemon osd ceph-osd -c "$conf" -i 0 -f
  until_true 240 osd "the object store" osd_is_up || give_up "the object store died"
}

start_gateway() {
  daemon gateway radosgw -c "$conf" -n client.rgw -f
  until_true 240 gateway "the gateway" gateway_answers || return 1
  # Another server on a port that we lost the race for would answer as well.
  pid_of gateway >/dev/null
}

check_tools() {
  local tool
  for tool in radosgw radosgw-admin ceph-mon ceph-osd monmaptool curl ps; do
    command -v "$tool" >/dev/null && continue
    note "$tool is missing: apt-get install radosgw ceph-mon ceph-osd ceph-common curl procps"
    exit 1
  done
}

start_all() { # wanted port, 0 for any
  local wanted=$1 port mon_port cluster_id
  check_tools
  [[ ! -e $conf ]] || { note "$dir is in use"; exit 1; }
  mkdir -p "$dir"/{mon,osd,run}
  take_port
  mon_port=$port
  if [[ $wanted == 0 ]]; then take_port; else port=$wanted; fi
  cluster_id=$(</proc/sys/kernel/random/uuid) # of its own: no monitor takes another server's object store for its own
  write_conf "$mon_port" "$port"
  {
    monmaptool --create --fsid "$cluster_id" --addv a "[v2:127.0.0.1:$mon_port]" "$dir/monmap" &&
      ceph-mon -c "$conf" -i a --mkfs --monmap "$dir/monmap"
  } >"$dir/create.out" 2>&1 || give_up "the monitor could not be created"
  daemon mon ceph-mon -c "$conf" -i a -f
  ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$osd_id" >>"$dir/create.out" 2>&1 || give_up "the object store could not be created"
  start_osd
  timeout 240 radosgw-admin -c "$conf" user create --uid=tester --display-name=tester --access-key="$access_key" \
    --secret-key="$secret_key" >"$dir/user.out" 2>&1 || give_up "the user could not be created"
  for ((attempt = 0; attempt < 5; attempt++)); do
    if start_gateway; then
      echo "ready $(<"$dir/port")"
      return
    fi
    [[ $wanted == 0 ]] || break
    take_port
    write_conf "$mon_port" "$port"
  done
  give_up "the gateway died"
}

signal_gateway() {
  local pid
  pid=$(pid_of gateway) || { note "the gateway does not run"; return 1; }
  kill "-$1" "$pid"
}

run() {
  trap stop_all EXIT
  trap 'exit 143' TERM INT HUP
  start_all "$1"
  local line
  while IFS= read -r line; do
    case $line in
    kill) terminate gateway ;;
    start) start_gateway || give_up "the gateway did not come back" ;;
    pause) signal_gateway STOP ;;
    resume) signal_gateway CONT ;;
    *) note "unknown command: $line" && exit 2 ;;
    esac
    echo ok
  done
}

case $action in
run) run "${3:-0}" ;;
start) start_all "${3:-0}" ;;
stop) stop_all ;;
kill) terminate gateway ;;
revive) start_gateway || give_up "the gateway did not come back" ;;
pause) signal_gateway STOP ;;
resume) signal_gateway CONT ;;
*) note "unknown action: $action" && exit 2 ;;
esac

# shellcheck shell=bash
# Shared by the scripts of this directory; sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=bps-etcd
network=bps-etcd
local_image=bps-etcd:local
# A busy engine may answer later than docker-compose 1.29 waits for by default (60 s).
export COMPOSE_HTTP_TIMEOUT=${COMPOSE_HTTP_TIMEOUT:-180}
partition_rules=("INPUT --dport" "INPUT --sport" "OUTPUT --dport" "OUTPUT --sport")

say() { printf '%s\n' "$*" >&2; }

# fail NAME MESSAGE: every failure has a name that can be searched for.
fail() {
  local name=$1
  shift
  say "error: $name: $*"
  exit 1
}

# show_help prints the calling script's leading comment; every script documents itself there.
show_help() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; }

# parse_member SCRIPT ARGS...: sets $member (1..3) and $container.
parse_member() {
  case ${1:-} in
    -h | --help) show_help && exit 0 ;;
    1 | 2 | 3) member=$1 container=bps-etcd-$1 ;;
    *) fail BAD_MEMBER "the member must be 1, 2 or 3, not '${1:-}' (see --help)" ;;
  esac
  [ $# -eq 1 ] || fail BAD_USAGE "one member at a time (see --help)"
}

parse_no_arguments() {
  case ${1:-} in
    "") ;;
    -h | --help) show_help && exit 0 ;;
    *) fail BAD_USAGE "unexpected argument '$1' (see --help)" ;;
  esac
}

need_engine() {
  command -v docker >/dev/null || fail NO_DOCKER "no docker client on PATH; install one"
  docker info >/dev/null 2>&1 || fail NO_ENGINE "no Docker engine answers; start it (docker info)"
}

# compose ARGS...: whichever of the two compose programs is there.
compose() {
  if docker compose version >/dev/null 2>&1; then
    docker compose -p "$project" -f "$here/compose.yaml" --project-directory "$here" "$@"
  elif command -v docker-compose >/dev/null; then
    docker-compose -p "$project" -f "$here/compose.yaml" --project-directory "$here" "$@"
  else
    fail NO_COMPOSE "neither 'docker compose' nor docker-compose is installed"
  fi
}

# state N FORMAT: a field of docker inspect, empty if the container does not exist.
state() { docker inspect -f "$2" "bps-etcd-$1" 2>/dev/null || true; }

need_running() {
  case $(state "$1" '{{.State.Status}}') in
    running) ;;
    "") fail NO_CLUSTER "member $1 does not exist; run ./up" ;;
    *) fail NOT_RUNNING "member $1 is $(state "$1" '{{.State.Status}}'); run ./heal" ;;
  esac
}

etcdctl() { # etcdctl N ARGS...: inside member N, against that member alone
  local n=$1
  shift
  docker exec "bps-etcd-$n" /usr/local/bin/etcdctl --endpoints=http://127.0.0.1:2379 \
    --command-timeout=1s "$@"
}

# healthy N: member N answers a linearizable read.
healthy() {
  [ "$(state "$1" '{{.State.Status}}')" = running ] && etcdctl "$1" endpoint health >/dev/null 2>&1
}

unhealthy() { ! healthy "$1"; }
all_healthy() { healthy 1 && healthy 2 && healthy 3; }

# await SECONDS COMMAND...: polls until COMMAND succeeds; fails after SECONDS.
await() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    return 1
  fi
}

# in_netns N COMMAND...: runs COMMAND in member N's network namespace, from outside the container.
in_netns() {
  local pid
  pid=$(state "$1" '{{.State.Pid}}')
  shift
  # With an engine in a virtual machine that pid is not ours: then it is no etcd.
  tr '\0' ' ' 2>/dev/null <"/proc/${pid:-0}/cmdline" | grep -q etcd || return 1
  as_root nsenter -t "$pid" -n "$@"
}

drop_peer_traffic() { # both directions, both ends: one alone leaves a leader writable
  local rule
  for rule in "${partition_rules[@]}"; do
    # shellcheck disable=SC2086  # a rule is two words
    set -- "$1" $rule
    in_netns "$1" iptables -I "$2" -p tcp "$3" 2380 -j DROP 2>/dev/null || return 1
  done
}

allow_peer_traffic() {
  local rule
  for rule in "${partition_rules[@]}"; do
    # shellcheck disable=SC2086
    set -- "$1" $rule
    while in_netns "$1" iptables -D "$2" -p tcp "$3" 2380 -j DROP 2>/dev/null; do :; done
  done
}

connected() {
  [ "$(state "$1" "{{if index .NetworkSettings.Networks \"$network\"}}yes{{end}}")" = yes ]
}

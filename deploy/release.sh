#!/usr/bin/env bash
# Releases a version: brings the database to what it needs, replaces the instances, and checks each step. The first step
# that fails ends it, with its reason and status 1; what ran before goes on serving. May be started again at any time.
#
#   deploy/release.sh kubernetes OVERLAY      an overlay (k8s/overlays/...), by kubectl's current context
#   deploy/release.sh compose [api-N ...]     docker/compose.yaml, one service; default: the three replicas
#   deploy/release.sh systemd PORT ...        instances scalable-api@PORT of this machine, behind NGINX, as root
#
# RELEASE_MIGRATE_SECONDS (default 21600) bounds the migrations, RELEASE_READY_SECONDS (default 600) each instance's start.
set -euo pipefail
cd "$(dirname "$0")/.."
migrate_seconds=${RELEASE_MIGRATE_SECONDS:-21600}
ready_seconds=${RELEASE_READY_SECONDS:-600}
# NGINX leaves an instance alone for 10 s that was away.
settle_seconds=${RELEASE_SETTLE_SECONDS:-10}
poll_seconds=${RELEASE_POLL_SECONDS:-2}

say() { printf 'release: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}
usage() {
  sed -n '2,/^#   deploy.*systemd/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# migrate STOP COMMAND ...: runs the migrations, for as long as they may take. STOP ends what COMMAND, a client, has started: it
# outlives its client. In the foreground, and without the terminal: a background process that sets up the terminal is stopped.
migrate() {
  local stop=$1 status=0
  shift
  timeout --foreground "$migrate_seconds" "$@" </dev/null || status=$?
  if [ $status -eq 124 ]; then
    $stop >&2 || true # it may have ended with its client
    fail "migrations took longer than $migrate_seconds s and were told to stop: what they did stays, and the instances are as they were"
  fi
  [ $status -eq 0 ] || fail 'migrations failed: nothing else was changed'
}

# The conditions of each Job of the release, one a line: NAME TYPE=STATUS ...
job_conditions() {
  kubectl -n "$1" get job -l part=indexes \
    -o 'jsonpath={range .items[*]}{.metadata.name}{range .status.conditions[*]} {.type}={.status}{end}{"\n"}{end}'
}

# kubectl wait --for=condition=complete never returns for a Job that failed, so both ends are looked for.
wait_for_jobs() {
  local namespace=$1 jobs failed deadline=$((SECONDS + migrate_seconds))
  while :; do
    jobs=$(job_conditions "$namespace") || fail 'the Jobs cannot be read'
    [ -n "$jobs" ] || fail "there is no Job with the label part=indexes: the overlay needs components/index-job"
    failed=$(awk '/ Failed=True/ { print $1 }' <<<"$jobs")
    if [ -n "$failed" ]; then
      for job in $failed; do kubectl -n "$namespace" logs "job/$job" --tail=50 >&2 || true; done
      fail "migrations failed ($failed): nothing else was changed"
    fi
    ! grep -qv ' Complete=True' <<<"$jobs" && return
    [ $SECONDS -lt $deadline ] || fail "migrations took longer than $migrate_seconds s: they go on, and nothing else was changed"
    sleep "$poll_seconds"
  done
}

release_kubernetes() {
  local overlay=$1 namespace deployments
  rendered=$(mktemp) # not local: the trap reads it when the function is over
  trap 'rm -f "$rendered"' EXIT
  kubectl kustomize "$overlay" >"$rendered" || fail "$overlay cannot be rendered"
  namespace=$(awk '/^  namespace: / { print $2; exit }' "$rendered")
  [ -n "$namespace" ] || fail "$overlay names no namespace"
  kubectl get namespace "$namespace" >/dev/null || fail "the namespace $namespace is not there: k8s/README.md, Before the first release"
  say "namespace $namespace: the database"
  kubectl -n "$namespace" delete job -l part=indexes --ignore-not-found --wait >/dev/null || fail 'the Jobs of the last release cannot be removed'
  kubectl apply -f "$rendered" -l 'part in (config,indexes)' || fail 'the configuration or the Job was refused'
  wait_for_jobs "$namespace"
  say 'the instances'
  kubectl apply -f "$rendered" || fail 'the overlay was refused: some of it may have been applied'
  deployments=$(kubectl -n "$namespace" get -f "$rendered" -o name | grep '^deployment' || true)
  [ -n "$deployments" ] || fail "$overlay has no Deployment"
  for deployment in $deployments; do
    kubectl -n "$namespace" rollout status "$deployment" --timeout="${ready_seconds}s" ||
      fail "$deployment is not ready: look at its pods, or go back with kubectl -n $namespace rollout undo $deployment"
  done
}

release_compose() {
  local compose=(docker compose -f docker/compose.yaml) services=("$@") container=scalable-api-release-$$
  [ $# -gt 0 ] || services=(api-1 api-2 api-3)
  for service in "${services[@]}"; do
    # The others have databases, replicas and an NGINX of their own.
    [[ $service =~ ^api-[0-9]+$ ]] || fail "$service is not an instance of the one service (api-1, api-2, ...): nothing was changed"
  done
  "${compose[@]}" build "${services[0]}" || fail 'the image cannot be built'
  say 'the database'
  migrate "docker stop $container" "${compose[@]}" run --rm -T --name "$container" indexes
  for service in "${services[@]}"; do
    say "$service"
    "${compose[@]}" up --detach --no-deps --wait --wait-timeout "$ready_seconds" "$service" || fail "$service is not ready: the others still serve"
    # A new container has a new address, which NGINX looks up when it reads its configuration.
    "${compose[@]}" exec -T nginx nginx -s reload || fail 'NGINX did not take the new address'
    sleep "$settle_seconds"
  done
}

release_systemd() {
  local secrets=/etc/scalable-api unit=scalable-api-release-$$ port deadline
  say 'the database'
  migrate "systemctl stop $unit" systemd-run --unit="$unit" --pipe --wait --collect --quiet \
    -p DynamicUser=yes -p WorkingDirectory=/opt/scalable-api/current \
    -p EnvironmentFile=$secrets/environment -p LoadCredential=app_secrets:$secrets/app_secrets \
    -p LoadCredential=jwt_private_keys:$secrets/jwt_private_keys -p 'Environment=NODE_ENV=production' \
    -p 'Environment=APP_SECRETS_FILE=%d/app_secrets JWT_PRIVATE_KEYS_FILE=%d/jwt_private_keys' \
    node dist/cli.js migrate
  for port in "$@"; do
    say "scalable-api@$port"
    systemctl restart "scalable-api@$port" || fail "scalable-api@$port did not start: journalctl -u scalable-api@$port"
    deadline=$((SECONDS + ready_seconds))
    until curl -fs --max-time 5 "http://127.0.0.1:$port/health/ready" >/dev/null; do
      [ $SECONDS -lt $deadline ] || fail "scalable-api@$port is not ready after $ready_seconds s: the others still serve"
      sleep "$poll_seconds"
    done
    sleep "$settle_seconds"
  done
}

case ${1:-} in
  kubernetes) [ $# -eq 2 ] || usage ;;
  compose) ;;
  systemd) [ $# -ge 2 ] || usage ;;
  *) usage ;;
esac
"release_$1" "${@:2}"
say 'done. When no instance of the version before is left: cli migrate --contract'

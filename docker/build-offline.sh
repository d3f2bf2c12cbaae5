#!/usr/bin/env bash
# Executes docker/Dockerfile, step by step, where no image registry and no engine can be had: with buildah, on a base made here
# of Debian's packages and this machine's Node. Says what the image holds, starts it, and asks its health check.
# As root, on Debian or Ubuntu. Needs buildah, debootstrap and npm's registry.
# Usage: docker/build-offline.sh [name of the image]
set -euo pipefail
cd "$(dirname "$0")/.."

image=${1:-scalable-api:offline}
base=localhost/node-base:$(node --version)-bookworm-slim
work=$(mktemp -d)
container=
cleanup() {
  [ -z "$container" ] || buildah rm "$container" >/dev/null
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT
# Neither overlay file systems nor namespaces are to be had everywhere.
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot

if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  echo "== the base: Debian and Node $(node --version)"
  # Unpacked and not configured: it is a stand-in that has to hold a shell and Node's libraries, and this takes seconds.
  debootstrap --foreign --variant=minbase --include=libstdc++6 bookworm "$work/root" >"$work/log" || { tail -20 "$work/log"; exit 1; }
  rm -rf "$work"/root/{debootstrap,var/cache/apt,var/lib/apt/lists} "$work"/root/usr/share/{doc,man,locale}
  # In a container debootstrap leaves a link where /proc is to be mounted.
  [ ! -L "$work/root/proc" ] || rm "$work/root/proc"
  mkdir -p "$work"/root/{proc,sys,dev,tmp}
  chmod 1777 "$work/root/tmp"
  cp "$work"/root/usr/share/base-passwd/passwd.master "$work/root/etc/passwd"
  cp "$work"/root/usr/share/base-passwd/group.master "$work/root/etc/group"
  mkdir -p "$work/root/etc/ssl/certs"
  cp /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/"
  mkdir -p "$work"/root/usr/local/{bin,lib}
  prefix=$(dirname "$(dirname "$(node -p process.execPath)")")
  cp "$prefix/bin/node" "$work/root/usr/local/bin/"
  mkdir -p "$work/root/usr/local/lib/node_modules"
  cp -r "$(npm root --global)/npm" "$work/root/usr/local/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/root/usr/local/bin/npm"
  scratch=$(buildah from scratch)
  buildah add --quiet "$scratch" "$work/root" / >/dev/null
  # The authorities this machine trusts, a proxy's of its own among them.
  buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$scratch"
  buildah commit --quiet --rm "$scratch" "$base" >/dev/null
fi

echo '== the Dockerfile'
buildah build --layers=false --format docker --network host --build-arg NODE_IMAGE="$base" --file docker/Dockerfile --tag "$image" .

container=$(buildah from --pull-never "$image")
root=$(buildah mount "$container")
size() { du -sm --apparent-size "$@" 2>/dev/null | awk '{ sum += $1 } END { print sum " MB" }'; }
echo '== what it holds'
echo "all: $(size "$root")"
echo "node: $(size "$root/usr/local/bin/node")"
echo "node_modules: $(size "$root/app/node_modules"), $(find "$root/app/node_modules" -name package.json -not -path '*/test/*' | wc -l) packages"
echo "the service: $(size "$root/app/dist")"
fail() { echo "FAILED: $*" >&2; exit 1; }
for gone in usr/local/bin/npm usr/local/lib/node_modules usr/bin/apt usr/bin/apt-get app/node_modules/typescript app/src app/test app/local; do
  [ ! -e "$root/$gone" ] || fail "/$gone is in the image"
done
[ -z "$(find "$root/app" -not -user root -print -quit)" ] || fail 'somebody else than root could change the code'
config=$(buildah inspect --type image "$image")
for expected in '"User": "1000:1000"' '"Healthcheck"' 'org.opencontainers.image.revision'; do
  grep -q "$expected" <<<"$config" || fail "the image has no $expected"
done

echo '== it starts, as its user'
run() { buildah run --user 1000:1000 "$container" -- "$@"; }
run node -e "if (process.getuid() !== 1000) process.exit(1)" || fail 'it runs as somebody else'
! run node -e "require('fs').writeFileSync('/app/dist/x', '')" 2>/dev/null || fail 'it can change its own code'
# Without a configuration it says what is missing, all of it, and ends.
missing=$(run node dist/main.js 2>&1) && fail 'it started without a configuration'
grep -q '^MONGODB_URI is missing' <<<"$missing" || fail "it said: $missing"
# The native module, which is another one on every platform.
run node --input-type=module -e "
  const { hash, verify } = await import('@node-rs/argon2');
  if (!(await verify(await hash('secret'), 'secret'))) process.exit(1);" || fail 'argon2 does not work'
echo "== $image is fine"

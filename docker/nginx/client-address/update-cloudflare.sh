#!/bin/sh
# Writes cloudflare.conf anew from the ranges that Cloudflare publishes; run it monthly, then reload nginx.
# Usage: docker/nginx/client-address/update-cloudflare.sh [where the lists are]
set -eu

source=${1:-https://www.cloudflare.com}
target=$(dirname "$0")/cloudflare.conf
new=$(mktemp "$target.XXXXXX")
trap 'rm -f "$new"' EXIT

{
  echo '# Behind Cloudflare, which says who the client is. Made by update-cloudflare.sh; let nobody but these reach this proxy.'
  for list in ips-v4 ips-v6; do
    # By itself first: a failure in a pipe would go unnoticed.
    ranges=$(curl --fail --silent --show-error --location "$source/$list")
    printf '%s\n' "$ranges" | tr -d '\r' | awk 'NF' | while read -r range; do
      case $range in
        *[!0-9a-f.:/]* | '') echo "not a range: $range" >&2; exit 1 ;;
        */*) echo "set_real_ip_from $range;" ;;
        *) echo "not a range: $range" >&2; exit 1 ;;
      esac
    done
  done
  echo 'real_ip_header CF-Connecting-IP;'
} >"$new"
# An empty answer would have everybody count as one client.
[ "$(grep -c set_real_ip_from "$new")" -ge 10 ] || { echo "fewer than 10 ranges: $target stays as it is" >&2; exit 1; }
chmod 644 "$new"
mv "$new" "$target"

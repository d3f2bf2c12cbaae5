#!/bin/sh
# Makes the secrets that compose.yaml mounts, once: what is there stays, so that sessions and encrypted data survive.
# Usage: docker/make-secrets.sh [folder]
set -eu

folder=${1:-$(dirname "$0")/secrets}
# The folder is closed to other users of this machine; the files are readable because the container's user, another
# number than yours, has to read them through the bind mount.
mkdir -p "$folder"
chmod 700 "$folder"
umask 022

make() {
  file=$folder/$1
  shift
  [ -s "$file" ] && return
  "$@" >"$file.new"
  mv "$file.new" "$file"
  echo "made $file"
}

make app_secrets openssl rand -base64 48
make jwt_private_keys openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256
# For the processes that don't serve auth. With more than one private key: cli keys public jwt.
make jwt_public_keys openssl pkey -in "$folder/jwt_private_keys" -pubout

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# For split services: what each module needs of app_secrets, as `cli keys derive app-secret --for MODULE` prints it. That
# command also works with more than one secret. HKDF-SHA256 (RFC 5869) without salt, for one block of 32 bytes.
hmac() { openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -binary; }
derive_keys() {
  extracted=$(tr -d '\n' <"$folder/app_secrets" | hmac "$(printf '%064d' 0)" | od -An -v -tx1 | tr -d ' \n')
  separator=
  for purpose in "$@"; do
    printf '%s%s:' "$separator" "$purpose"
    printf '%s\001' "$purpose" | hmac "$extracted" | base64url
    separator=,
  done
}
# <generated> from the manifests of src/modules by npm run generate
make app_keys_auth derive_keys refresh-token mfa-secret device-token step-up-question step-up-answer one-time-token cursor
make app_keys_users derive_keys step-up-question step-up-answer one-time-token cursor phone-code email-unsubscribe files.url
make app_keys_tasks derive_keys cursor files.url
make app_keys_notifications derive_keys one-time-token cursor email-unsubscribe
# </generated>

# The pair for Web Push (RFC 8292), as bare numbers in base64url. In DER (RFC 5915) the private key is the 32 bytes from the
# eighth on, and the public key the last 65.
vapid_pair() { openssl ec -in "$folder/vapid.pem" -outform DER 2>/dev/null; }
vapid_private() { vapid_pair | tail -c +8 | head -c 32 | base64url; }
vapid_public() { vapid_pair | tail -c 65 | base64url; }
make vapid.pem openssl ecparam -name prime256v1 -genkey -noout
make vapid_private_key vapid_private
make vapid_public_key vapid_public

# For trials: a certificate that browsers warn of. Put a real one in its place.
make tls.key openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256
make tls.crt openssl req -x509 -key "$folder/tls.key" -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 365

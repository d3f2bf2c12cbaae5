#!/bin/sh
# Tells Elasticsearch the types of the logs' fields, and Kibana the searches; again and again does no harm.
# Usage: set-up.sh <folder of this script's files> <Elasticsearch's address> <Kibana's address>
set -eu
folder=$1 elasticsearch=$2 kibana=$3

# send <method> <address> <curl's further options>
send() {
  method=$1 address=$2
  shift 2
  curl --fail-with-body --silent --show-error --retry 60 --retry-delay 2 --retry-connrefused --max-time 60 --request "$method" "$@" "$address"
  echo
}

send PUT "$elasticsearch/_index_template/scalable-api-logs" --header 'Content-Type: application/json' \
  --data-binary "@$folder/index-template.json"
send POST "$kibana/api/saved_objects/_import?overwrite=true" --header 'kbn-xsrf: true' \
  --form "file=@$folder/saved-objects.ndjson"

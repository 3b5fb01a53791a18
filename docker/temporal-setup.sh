#!/bin/sh
# One-shot steps around the Temporal server; each may be repeated.
#   temporal-setup.sh schema      creates or updates its two databases (before the server starts)
#   temporal-setup.sh namespace   creates the namespace and the search attributes (after it has started)
set -eu

schema() {
  # The password comes from SQL_PASSWORD in the environment.
  tool="temporal-sql-tool --plugin postgres12 --endpoint temporal-database --port 5432 --user temporal"
  for name in temporal temporal_visibility; do
    folder=$([ "$name" = temporal ] && echo temporal || echo visibility)
    $tool --database "$name" create
    # Fails where the version table is there already; the update then does what is left to do.
    $tool --database "$name" setup-schema --version 0.0 || true
    $tool --database "$name" update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$folder/versioned"
  done
}

namespace() {
  name="${TEMPORAL_NAMESPACE:?}"
  for _ in $(seq 30); do
    temporal operator cluster health >/dev/null 2>&1 && break
    sleep 2
  done
  # Histories are kept for a year; every fact is in PostgreSQL, so their end loses no result.
  temporal operator namespace describe --namespace "$name" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$name" --retention 8760h
  # A new namespace is known to every part of the server after some seconds.
  for _ in $(seq 30); do
    known="$(temporal operator search-attribute list --namespace "$name" 2>/dev/null)" && break
    sleep 2
  done
  for attribute in SettleNetwork:Keyword SettleEpoch:Int SettlePhase:Keyword SettleOutcome:Keyword; do
    echo "$known" | grep -qw "${attribute%:*}" ||
      temporal operator search-attribute create --namespace "$name" --name "${attribute%:*}" --type "${attribute#*:}"
  done
}

"$1"

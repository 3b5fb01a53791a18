#!/bin/sh
# Makes the secrets of docker-compose.yml, once: random, never printed, never overwritten.
set -eu
umask 077
folder="$(dirname "$0")/secrets"
mkdir -p "$folder"
secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
for name in postgres_password migrate_password worker_password operator_password approver_password policy_password temporal_password; do
  [ -e "$folder/$name" ] || secret >"$folder/$name"
done
# The Temporal images read their password from the environment alone.
if [ ! -e "$folder/temporal.env" ]; then
  password="$(cat "$folder/temporal_password")"
  printf 'POSTGRES_PWD=%s\nSQL_PASSWORD=%s\n' "$password" "$password" >"$folder/temporal.env"
fi
# The folder keeps everybody else of this machine out. The files inside it are readable, since compose hands each of them
# to its container as it is, and the users in there are not the one who runs this.
chmod 0700 "$folder"
chmod 0644 "$folder"/*_password
echo "Secrets are in $folder; keep them out of backups that others can read."

#!/bin/sh
# Makes the secrets of docker-compose.yml, once: random, never printed, never overwritten.
set -eu
umask 077
folder="$(dirname "$0")/secrets"
mkdir -p "$folder"
secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
for name in postgres_password migrate_password worker_password operator_password temporal_password; do
  [ -e "$folder/$name" ] || secret >"$folder/$name"
done
# The Temporal images read their password from the environment alone.
if [ ! -e "$folder/temporal.env" ]; then
  password="$(cat "$folder/temporal_password")"
  printf 'POSTGRES_PWD=%s\nSQL_PASSWORD=%s\n' "$password" "$password" >"$folder/temporal.env"
fi
# The containers' users are not the one who runs this, and compose mounts these files as they are.
chmod 0755 "$folder"
chmod 0644 "$folder"/*_password
echo "Secrets are in $folder; keep them out of backups that others can read."

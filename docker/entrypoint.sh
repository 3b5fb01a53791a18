#!/bin/sh
# Becomes the command line. The database password comes from a file that only this container sees, so that it stands in
# no command, no image and no compose file; the driver reads it from PGPASSWORD.
set -eu
if [ -n "${DATABASE_PASSWORD_FILE:-}" ]; then
  PGPASSWORD="$(cat "$DATABASE_PASSWORD_FILE")"
  export PGPASSWORD
fi
exec node /app/start.mjs "$@"

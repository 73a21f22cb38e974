# The prebuilt SQLite wants a glibc as new as that of Ubuntu 24.04; Debian 13 has a newer one.
FROM node:24-trixie AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && cd build && npm ci --omit=dev

FROM node:24-trixie-slim
ENV NODE_ENV=production SQLITE_FILE=/data/latchkey.sqlite3
WORKDIR /app
COPY --from=build --chown=node:node /app/build .
RUN node bin/native_modules.js
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 3333
HEALTHCHECK --interval=10s CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3333) + '/health/ready').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "bin/server.js"]

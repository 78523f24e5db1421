FROM node:26.8.2-alpine3.24 AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional packages are Node.js itself, for machines that have none.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

FROM node:26.8.2-alpine3.24
ENV NODE_ENV=production APP_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json run.mjs ./
COPY src src
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s \
  CMD wget -qO /dev/null "http://127.0.0.1:${PORT:-3000}/readyz"
CMD ["node", "src/main.ts"]

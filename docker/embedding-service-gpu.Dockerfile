# embedding-service with its graph on a GPU. Build embedding-service.Dockerfile first, then from the root of the repository:
#   docker build -f docker/embedding-service-gpu.Dockerfile -t morgan/embedding-service:0.1.0-gpu .

ARG BASE=morgan/embedding-service:0.1.0
FROM ${BASE}
USER 0:0
# WebGPU runs on Vulkan: its loader, and what NVIDIA's driver for it is linked against, also where no screen is.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libvulkan1 libegl1 libxext6 \
 && rm -rf /var/lib/apt/lists/*
# Without `graphics` the container runtime of NVIDIA leaves the Vulkan half of the driver outside.
ENV EMBEDDING_DEVICE=webgpu \
    NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility
USER 1000:1000

import type { DeploymentTree } from './deployment-tree.ts';
import { environmentOf, finalStage, parseDockerfile, valuesOf } from './dockerfile.ts';
import { isKnownName } from './settings.ts';

const SERVICE = 'embedding-service';
/** Vulkan's loader, and what NVIDIA's driver for it needs in a container without a screen. */
const LIBRARIES = ['libvulkan1', 'libegl1', 'libxext6'];
const GPUS = ['webgpu', 'cuda'];

/** Checks the image that adds a GPU to embedding-service's: what it is made from, what is in it, and that it ends as the same user. */
export function gpuImageFaults({ gpuDockerfile, services, version }: DeploymentTree): string[] {
  const base = services.find(({ name }) => name === SERVICE);
  if (!base) return [];
  const image = finalStage(parseDockerfile(gpuDockerfile));
  const environment = environmentOf(image);
  const device = environment.get('EMBEDDING_DEVICE');
  const runs = valuesOf(image, 'RUN').join();
  const [user] = valuesOf(finalStage(base.dockerfile), 'USER');
  const unknown = [...environment.keys()].filter((name) => !isKnownName(base.settings, name));
  return [
    ...(gpuDockerfile.includes(`\nARG BASE=morgan/${SERVICE}:${version}\nFROM \${BASE}\n`)
      ? []
      : [
          `it must be made from morgan/${SERVICE}:${version} by default, with BASE as the argument for another`,
        ]),
    ...LIBRARIES.filter((name) => !runs.includes(` ${name}`)).map((name) => `${name} is not installed`),
    ...(valuesOf(image, 'USER').at(-1) === user
      ? []
      : [`it must end as user ${user}, as the image below does`]),
    ...(device !== undefined && GPUS.includes(device) ? [] : ['EMBEDDING_DEVICE must be a GPU']),
    ...(environment.get('NVIDIA_DRIVER_CAPABILITIES')?.split(',').includes('graphics')
      ? []
      : ['NVIDIA_DRIVER_CAPABILITIES must have graphics: Vulkan is part of it']),
    ...unknown.map((name) => `the service reads no ${name}`),
  ].map((fault) => `docker/${SERVICE}-gpu.Dockerfile: ${fault}`);
}

import type { Container, PodSpec } from 'kubernetes-types/core/v1.js';
import type { DeploymentTree, ServiceImage } from './deployment-tree.ts';
import { configMapData, type Kustomization } from './kustomization.check.ts';
import { deploymentsOf } from './workload.check.ts';

/** What one of our services runs as. */
export interface ServicePod {
  readonly file: string;
  readonly replicas: number;
  readonly pod: PodSpec;
  readonly container: Container;
  /** From its ConfigMaps and its own `env`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly image: ServiceImage;
}

/** The pod of a service; none where no Deployment has a container of its name. */
export function servicePodOf(
  tree: DeploymentTree,
  kustomization: Kustomization,
  image: ServiceImage,
): ServicePod | undefined {
  const found = deploymentsOf(tree).find(({ deployment }) => deployment.metadata?.name === image.name);
  const { replicas = 1, template } = found?.deployment.spec ?? {};
  const container = template?.spec?.containers.find(({ name }) => name === image.name);
  if (!found || !template?.spec || !container) return undefined;
  const environment = environmentIn(container, kustomization);
  return { file: found.file, replicas, pod: template.spec, container, environment, image };
}

function environmentIn(container: Container, kustomization: Kustomization): Record<string, string> {
  const maps = (container.envFrom ?? []).map(({ configMapRef }) =>
    configMapData(kustomization, configMapRef?.name ?? ''),
  );
  const own = (container.env ?? []).map(({ name, value = '' }) => [name, value] as const);
  return Object.assign({}, ...maps, Object.fromEntries(own)) as Record<string, string>;
}

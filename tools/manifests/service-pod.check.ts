import type { Container, PodSpec } from 'kubernetes-types/core/v1.js';
import type { DeploymentTree, ServiceImage } from './deployment-tree.ts';
import { environmentOf, finalStage, valuesOf } from './dockerfile.ts';
import { configMapData, type Kustomization, parseKustomization } from './kustomization.check.ts';
import { parseQuantity } from './quantity.ts';
import { isKnownName } from './settings.ts';
import { graceMs } from './shutdown.ts';
import { deploymentsOf, servicesOf } from './workload.check.ts';

/** What one of our services runs as. */
interface ServicePod {
  readonly replicas: number;
  readonly pod: PodSpec;
  readonly container: Container;
  /** From its ConfigMaps and its own `env`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly image: ServiceImage;
}

/** Checks the pods of our services against their images and against what their code reads. */
export function servicePodFaults(tree: DeploymentTree): string[] {
  const { kustomization, faults } = parseKustomization(tree);
  if (!kustomization) return [...faults];
  return tree.services.flatMap((image) => {
    const found = deploymentsOf(tree).find(({ deployment }) => deployment.metadata?.name === image.name);
    const pod = found?.deployment.spec?.template.spec;
    const container = pod?.containers.find(({ name }) => name === image.name);
    if (!pod || !container) return [`k8s/base: there is no Deployment with a container ${image.name}`];
    const environment = environmentIn(container, kustomization);
    const { replicas = 1 } = found?.deployment.spec ?? {};
    const service = { replicas, pod, container, environment, image };
    return [
      ...referenceFaults(container, kustomization),
      ...imageFaults(service),
      ...environmentFaults(service, tree),
      ...shutdownFaults(service),
      ...computeFaults(service),
    ].map((fault) => `${found?.file}: ${fault}`);
  });
}

function environmentIn(container: Container, kustomization: Kustomization): Record<string, string> {
  const maps = (container.envFrom ?? []).map(({ configMapRef }) =>
    configMapData(kustomization, configMapRef?.name ?? ''),
  );
  const own = (container.env ?? []).map(({ name, value = '' }) => [name, value] as const);
  return Object.assign({}, ...maps, Object.fromEntries(own)) as Record<string, string>;
}

function referenceFaults({ envFrom = [] }: Container, kustomization: Kustomization): string[] {
  return envFrom.flatMap(({ configMapRef, secretRef }) => [
    ...(configMapRef && !configMapData(kustomization, configMapRef.name ?? '')
      ? [`nothing generates the ConfigMap ${configMapRef.name}`]
      : []),
    ...(secretRef && secretRef.optional !== true ? [`the Secret ${secretRef.name} must be optional`] : []),
  ]);
}

function imageFaults({ pod, container, environment, image }: ServicePod): string[] {
  const stage = finalStage(image.dockerfile);
  const defaults = environmentOf(stage);
  const port = Number(environment['PORT'] ?? defaults.get('PORT'));
  const { runAsUser, runAsGroup } = pod.securityContext ?? {};
  const writable = (container.volumeMounts ?? []).map(({ mountPath }) => mountPath);
  const cache = environment['EMBEDDING_CACHE_DIR'] ?? defaults.get('EMBEDDING_CACHE_DIR');
  return [
    ...(container.image === `morgan/${image.name}`
      ? []
      : [`${container.image} is not the image of ${image.name}`]),
    ...(container.ports?.some(({ containerPort }) => containerPort === port)
      ? []
      : [`the service listens on ${port}`]),
    ...(valuesOf(stage, 'USER')[0] === `${runAsUser}:${runAsGroup}`
      ? []
      : ['the image is made for another user']),
    ...(cache === undefined || writable.includes(cache) ? [] : [`${cache} is not writable`]),
  ];
}

function environmentFaults({ replicas, environment, image }: ServicePod, tree: DeploymentTree): string[] {
  const ports = new Map(
    servicesOf(tree).map(({ service }) => [
      service.metadata?.name,
      service.spec?.ports?.map(({ port }) => `${port}`),
    ]),
  );
  const urls = Object.entries(environment).filter(([, value]) => value.includes('://'));
  return [
    ...Object.keys(environment)
      .filter((name) => !isKnownName(image.settings, name))
      .map((name) => `${image.name} reads no ${name}`),
    ...urls
      .filter(([, value]) => !ports.get(new URL(value).hostname)?.includes(new URL(value).port))
      .map(([name, value]) => `${name}: no Service answers at ${value}`),
    ...(replicas > 1 && image.settings.has('REDIS_URL') && environment['REDIS_URL'] === undefined
      ? ['its replicas share nothing without a REDIS_URL']
      : []),
  ];
}

function shutdownFaults({ pod, container, environment, image }: ServicePod): string[] {
  const [program, seconds] = container.lifecycle?.preStop?.exec?.command ?? [];
  if (program !== 'sleep') return ['without a preStop sleep, SIGTERM comes before the endpoints are gone'];
  const needed = Number(seconds) + graceMs(environment, image.settings) / 1000;
  const given = pod.terminationGracePeriodSeconds ?? 30;
  return given > needed ? [] : [`killed after ${given} s, but may need ${needed} s to stop`];
}

/** More inference threads than cores of the limit would be throttled, all at once. */
function computeFaults({ container, environment }: ServicePod): string[] {
  const threads =
    Number(environment['EMBEDDING_WORKERS'] ?? 1) * Number(environment['EMBEDDING_THREADS'] ?? 1);
  const cores = parseQuantity(container.resources?.limits?.['cpu'] ?? '');
  return threads <= cores ? [] : [`${threads} inference threads on ${cores} cores`];
}

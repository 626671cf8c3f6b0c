import type { Container } from 'kubernetes-types/core/v1.js';
import type { DeploymentTree } from './deployment-tree.ts';
import { environmentOf, finalStage, valuesOf } from './dockerfile.ts';
import { configMapData, type Kustomization, parseKustomization } from './kustomization.check.ts';
import { parseQuantity } from './quantity.ts';
import { type ServicePod, servicePodOf } from './service-pod.ts';
import { isKnownName } from './settings.ts';
import { stopTimes } from './shutdown.ts';
import { servicesOf } from './workload.check.ts';

/** By how many processes a shared limit is divided while Redis is gone. */
const REPLICAS = 'CALLER_LIMIT_REPLICAS';

/** Checks the pods of our services against their images and against what their code reads. */
export function servicePodFaults(tree: DeploymentTree): string[] {
  const { kustomization, faults } = parseKustomization(tree);
  if (!kustomization) return [...faults];
  return tree.services.flatMap((image) => {
    const service = servicePodOf(tree, kustomization, image);
    if (!service) return [`k8s/base: there is no Deployment with a container ${image.name}`];
    return [
      ...referenceFaults(service.container, kustomization),
      ...imageFaults(service),
      ...environmentFaults(service, tree),
      ...shutdownFaults(service),
      ...computeFaults(service),
    ].map((fault) => `${service.file}: ${fault}`);
  });
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
    ...(image.settings.has(REPLICAS) && environment[REPLICAS] !== `${replicas}`
      ? [`${REPLICAS} is not ${replicas}, as the Deployment has it`]
      : []),
  ];
}

function shutdownFaults(service: ServicePod): string[] {
  const { sigterm, exit, killed } = stopTimes(service);
  if (Number.isNaN(sigterm)) return ['without a preStop sleep, SIGTERM comes before the endpoints are gone'];
  return killed > exit ? [] : [`killed after ${killed} s, but may need ${exit} s to stop`];
}

/** More inference threads than cores of the limit would be throttled, all at once. */
function computeFaults({ container, environment }: ServicePod): string[] {
  const threads =
    Number(environment['EMBEDDING_WORKERS'] ?? 1) * Number(environment['EMBEDDING_THREADS'] ?? 1);
  const cores = parseQuantity(container.resources?.limits?.['cpu'] ?? '');
  return threads <= cores ? [] : [`${threads} inference threads on ${cores} cores`];
}

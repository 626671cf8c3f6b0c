import type { Deployment } from 'kubernetes-types/apps/v1.js';
import type { Container, PodSpec, Probe, Service } from 'kubernetes-types/core/v1.js';
import type { DeploymentTree, ManifestDocument } from './deployment-tree.ts';
import { podSecurityFaults } from './pod-security.check.ts';

type Labels = Readonly<Record<string, string>>;

/** The health endpoints of both services; /health is for people and dashboards. */
const LIVENESS_PATH = '/livez';
const READINESS_PATH = '/readyz';
const NAME_LABEL = 'app.kubernetes.io/name';

/** The Deployments of the tree, with the file of each. The type is safe to assume once the type checks have passed. */
export function deploymentsOf(tree: DeploymentTree): { file: string; deployment: Deployment }[] {
  return tree.manifests
    .filter(({ content }) => content.kind === 'Deployment')
    .map(({ file, content }) => ({ file, deployment: content as Deployment }));
}

/** The Services of the tree, with the file of each. */
export function servicesOf(tree: DeploymentTree): { file: string; service: Service }[] {
  return tree.manifests
    .filter(({ content }) => content.kind === 'Service')
    .map(({ file, content }) => ({ file, service: content as Service }));
}

/** Checks what no schema sees: that the parts of the manifests refer to one another correctly, and that pods are safe. */
export function workloadFaults(tree: DeploymentTree): string[] {
  return [
    ...tree.manifests.flatMap(identityFaults),
    ...deploymentsOf(tree).flatMap(({ file, deployment }) => deploymentFaults(file, deployment)),
    ...servicesOf(tree).flatMap(({ file, service }) =>
      serviceFaults(service, tree).map((fault) => `${file}: ${fault}`),
    ),
  ];
}

function identityFaults({ file, content }: ManifestDocument): string[] {
  const { name, labels } = (content.metadata ?? {}) as { name?: string; labels?: Labels };
  if (name && labels?.[NAME_LABEL] === name) return [];
  return [`${file}: metadata needs a name and the same in its label ${NAME_LABEL}`];
}

function deploymentFaults(file: string, { spec }: Deployment): string[] {
  const pod = spec?.template.spec;
  if (!spec || !pod) return [`${file}: there is no pod`];
  const labels = spec.template.metadata?.labels ?? {};
  const selectors = [
    spec.selector.matchLabels,
    ...(pod.topologySpreadConstraints ?? []).map(({ labelSelector }) => labelSelector?.matchLabels),
  ];
  const faults = [
    ...selectors
      .filter((selector) => !selects(selector, labels))
      .map((selector) => `the selector ${JSON.stringify(selector)} does not match the pod's labels`),
    ...(spec.strategy?.rollingUpdate?.maxUnavailable === 0
      ? []
      : ['an update takes pods away before new ones are ready']),
    ...pod.containers.flatMap((container) => [...probeFaults(container), ...volumeFaults(container, pod)]),
  ];
  return [...faults.map((fault) => `${file}: ${fault}`), ...podSecurityFaults(file, pod)];
}

/** Whether a selector, which must say something, fits the labels of a pod. */
export function selects(selector: Labels | undefined, labels: Labels): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

function probeFaults(container: Container): string[] {
  const { startupProbe, livenessProbe, readinessProbe } = container;
  const probes = { startupProbe, livenessProbe, readinessProbe };
  const paths = { startupProbe: LIVENESS_PATH, livenessProbe: LIVENESS_PATH, readinessProbe: READINESS_PATH };
  return Object.entries(probes).flatMap(([kind, probe]) => {
    if (!probe) return [`${container.name} has no ${kind}`];
    const path = probe.httpGet?.path;
    return [
      ...(portsOf(probe).every((port) => hasPort(container, port))
        ? []
        : [`${kind} asks a port that is not there`]),
      ...(path === undefined || path === paths[kind as keyof typeof paths] ? [] : [`${kind} asks ${path}`]),
    ];
  });
}

function portsOf({ httpGet, tcpSocket }: Probe): (string | number)[] {
  return [httpGet?.port, tcpSocket?.port].filter((port) => port !== undefined);
}

/** Ports are named once, at the container; everything else must refer to the name. */
function hasPort({ ports = [] }: Container, port: string | number): boolean {
  return ports.some(({ name }) => name === port);
}

function volumeFaults(container: Container, { volumes = [] }: PodSpec): string[] {
  return (container.volumeMounts ?? [])
    .filter((mount) => !volumes.some(({ name }) => name === mount.name))
    .map((mount) => `${container.name} mounts ${mount.name}, which is no volume of its pod`);
}

function serviceFaults({ spec }: Service, tree: DeploymentTree): string[] {
  const matching = deploymentsOf(tree).filter(({ deployment }) =>
    selects(spec?.selector, deployment.spec?.template.metadata?.labels ?? {}),
  );
  const [target] = matching;
  if (!target || matching.length > 1) return [`the selector matches ${matching.length} Deployments`];
  const containers = target.deployment.spec?.template.spec?.containers ?? [];
  return (spec?.ports ?? [])
    .filter(({ targetPort }) => !containers.some((one) => hasPort(one, targetPort ?? '')))
    .map(({ targetPort }) => `targetPort ${targetPort} is not the name of a container port`);
}

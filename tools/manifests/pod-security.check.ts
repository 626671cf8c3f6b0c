import type { Container, PodSpec } from 'kubernetes-types/core/v1.js';

const VOLUME_TYPES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const SECCOMP_TYPES = ['RuntimeDefault', 'Localhost'];

type Rule<Subject> = readonly [broken: (subject: Subject, pod: PodSpec) => boolean, fault: string];

/** The Pod Security Standards' "restricted" profile for the pod, as in Kubernetes' documentation of the standards. */
const POD_RULES: readonly Rule<PodSpec>[] = [
  [(pod) => Boolean(pod.hostNetwork || pod.hostPID || pod.hostIPC), 'shares a namespace with the host'],
  [(pod) => (pod.securityContext?.sysctls ?? []).length > 0, 'sets sysctls'],
  [(pod) => pod.securityContext?.windowsOptions?.hostProcess === true, 'is a host process'],
  [(pod) => pod.securityContext?.seLinuxOptions !== undefined, 'sets SELinux options'],
  [(pod) => pod.securityContext?.runAsUser === 0, 'runs as root'],
  [(pod) => volumesOutside(pod, VOLUME_TYPES).length > 0, 'mounts a volume of a type that is not allowed'],
  [(pod) => pod.automountServiceAccountToken !== false, 'mounts a service account token that nothing uses'],
];

/** The same for each container, with two rules of our own: a read-only root and nothing unbounded. */
const CONTAINER_RULES: readonly Rule<Container>[] = [
  [(one) => one.securityContext?.privileged === true, 'is privileged'],
  [(one) => one.securityContext?.allowPrivilegeEscalation !== false, 'may escalate its privileges'],
  [(one, pod) => !isNonRoot(one, pod), 'may run as root'],
  [(one) => one.securityContext?.runAsUser === 0, 'runs as root'],
  [(one, pod) => !hasSeccompProfile(one, pod), 'has no seccomp profile'],
  [(one) => !one.securityContext?.capabilities?.drop?.includes('ALL'), 'keeps capabilities'],
  [(one) => addedCapabilities(one).some((name) => name !== 'NET_BIND_SERVICE'), 'adds capabilities'],
  [(one) => (one.securityContext?.procMount ?? 'Default') !== 'Default', 'unmasks /proc'],
  [(one) => one.securityContext?.seLinuxOptions !== undefined, 'sets SELinux options'],
  [(one) => (one.ports ?? []).some(({ hostPort }) => hostPort !== undefined), 'takes a port of the host'],
  [(one) => one.securityContext?.readOnlyRootFilesystem !== true, 'may write to its root filesystem'],
  [(one) => !hasBounds(one), 'lacks a CPU or memory request or limit'],
];

/** Every rule that a pod breaks. */
export function podSecurityFaults(where: string, pod: PodSpec): string[] {
  const broken = <Subject>(rules: readonly Rule<Subject>[], subject: Subject, name: string) =>
    rules.filter(([isBroken]) => isBroken(subject, pod)).map(([, fault]) => `${where}: ${name} ${fault}`);
  const containers = [...pod.containers, ...(pod.initContainers ?? [])];
  return [
    ...broken(POD_RULES, pod, 'the pod'),
    ...containers.flatMap((container) => broken(CONTAINER_RULES, container, `container ${container.name}`)),
    ...(pod.volumes ?? [])
      .filter(({ emptyDir }) => emptyDir && emptyDir.sizeLimit === undefined)
      .map(({ name }) => `${where}: volume ${name} may fill the node`),
  ];
}

/** A container's own setting wins over the pod's. */
function isNonRoot(container: Container, pod: PodSpec): boolean {
  return (container.securityContext?.runAsNonRoot ?? pod.securityContext?.runAsNonRoot) === true;
}

function hasSeccompProfile(container: Container, pod: PodSpec): boolean {
  const profile = container.securityContext?.seccompProfile ?? pod.securityContext?.seccompProfile;
  return SECCOMP_TYPES.includes(profile?.type ?? '');
}

function volumesOutside(pod: PodSpec, types: readonly string[]): string[] {
  const used = (pod.volumes ?? []).flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
  return used.filter((type) => !types.includes(type));
}

function addedCapabilities(container: Container): string[] {
  return container.securityContext?.capabilities?.add ?? [];
}

function hasBounds({ resources }: Container): boolean {
  return [resources?.requests, resources?.limits].every((bounds) => bounds?.['cpu'] && bounds['memory']);
}

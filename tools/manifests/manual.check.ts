import { type DeploymentTree, SERVICE_NAMES } from './deployment-tree.ts';
import { parseKustomization } from './kustomization.check.ts';
import { servicePodOf } from './service-pod.ts';
import { isKnownName } from './settings.ts';
import { stopTimes } from './shutdown.ts';

/** Upper case words with an underscore; nothing else in the manual is written like that. */
const ENVIRONMENT_NAME = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g;

/**
 * docs/deployment.md may only name settings that a service or its example file reads, shows images of the current version, and says at which
 * second of a pod's end what happens.
 */
export function manualFaults(tree: DeploymentTree): string[] {
  const { manual, services, version, exampleFile } = tree;
  const names = new Set(manual.match(ENVIRONMENT_NAME));
  const builds = [
    ...SERVICE_NAMES.map((name) => `-f docker/${name}.Dockerfile -t morgan/${name}:${version} .`),
    `-f docker/embedding-service-gpu.Dockerfile -t morgan/embedding-service:${version}-gpu .`,
  ];
  return [
    ...[...names]
      .filter((name) => !services.some(({ settings }) => isKnownName(settings, name)))
      .filter((name) => !exampleFile.includes(`\${${name}}`))
      .map((name) => `no service reads ${name}`),
    ...builds
      .filter((build) => !manual.includes(build))
      .map((build) => `it does not say how to build: ${build}`),
    ...timetableFaults(tree),
  ].map((fault) => `docs/deployment.md: ${fault}`);
}

/** The first column of its table about a stop has a second or a span of seconds in each row. */
function timetableFaults(tree: DeploymentTree): string[] {
  const { kustomization } = parseKustomization(tree);
  if (!kustomization) return [];
  const [, section = ''] = tree.manual.split('### How a pod stops\n');
  const rows = [...section.matchAll(/^\| (\d+)(?: to (\d+))? *\|/gm)];
  const stated = new Set(rows.flatMap(([, from = '', to = from]) => [from, to]));
  return tree.services.flatMap((image) => {
    const pod = servicePodOf(tree, kustomization, image);
    if (!pod) return [];
    const times = ['0', ...Object.values(stopTimes(pod)).map(String)];
    return times.join() === [...stated].join()
      ? []
      : [`a pod of ${image.name} stops at the seconds ${times.join()}, not at ${[...stated].join()}`];
  });
}

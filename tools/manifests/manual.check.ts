import { type DeploymentTree, SERVICE_NAMES } from './deployment-tree.ts';
import { isKnownName } from './settings.ts';

/** Upper case words with an underscore; nothing else in the manual is written like that. */
const ENVIRONMENT_NAME = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g;

/** docs/deployment.md may only name settings that a service reads, and shows images of the current version. */
export function manualFaults({ manual, services, version }: DeploymentTree): string[] {
  const names = new Set(manual.match(ENVIRONMENT_NAME));
  const builds = SERVICE_NAMES.map((name) => `-f docker/${name}.Dockerfile -t morgan/${name}:${version} .`);
  return [
    ...[...names]
      .filter((name) => !services.some(({ settings }) => isKnownName(settings, name)))
      .map((name) => `no service reads ${name}`),
    ...builds
      .filter((build) => !manual.includes(build))
      .map((build) => `it does not say how to build: ${build}`),
  ].map((fault) => `docs/deployment.md: ${fault}`);
}

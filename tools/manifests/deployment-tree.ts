import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { type Dockerfile, parseDockerfile } from './dockerfile.ts';
import { readSettings, type Settings } from './settings.ts';

/** One YAML document of k8s/ as it was written, not yet checked against any type. */
export interface ManifestDocument {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly content: { apiVersion?: string; kind?: string; metadata?: { name?: string } };
}

/** What the images promise about one service, and what the code says about it. */
export interface ServiceImage {
  readonly name: string;
  readonly dockerfile: Dockerfile;
  /** Environment names that the service reads, with their defaults. */
  readonly settings: Settings;
  /** The `outputs` of the Nx build target, from the root of the repository. */
  readonly buildOutputs: readonly string[];
}

/** Everything that a deployment is made of. Plain data, so that a test can copy it and plant a fault. */
export interface DeploymentTree {
  readonly version: string;
  readonly services: readonly ServiceImage[];
  /** docker/embedding-service-gpu.Dockerfile, which adds to the image of that service. */
  readonly gpuDockerfile: string;
  readonly manifests: readonly ManifestDocument[];
  readonly kustomization: unknown;
  readonly compose: unknown;
  /** The lines of .dockerignore, without comments. */
  readonly dockerignore: readonly string[];
  /** docs/deployment.md */
  readonly manual: string;
  /** The configuration file of the overlay that the manual leads to; it names further environment variables. */
  readonly exampleFile: string;
}

export const SERVICE_NAMES = ['llm-service', 'embedding-service'] as const;
export const KUSTOMIZATION_FILE = 'k8s/base/kustomization.yaml';
export const COMPOSE_FILE = 'docker/compose.yaml';

/** Reads the tree from a checkout. */
export function readDeploymentTree(root: string): DeploymentTree {
  const text = (path: string) => readFileSync(join(root, path), 'utf8');
  const manual = text('docs/configuration.md');
  return {
    version: (JSON.parse(text('package.json')) as { version: string }).version,
    services: SERVICE_NAMES.map((name) => ({
      name,
      dockerfile: parseDockerfile(text(`docker/${name}.Dockerfile`)),
      settings: readSettings(manual, name),
      buildOutputs: buildOutputs(text(`apps/${name}/project.json`)),
    })),
    gpuDockerfile: text('docker/embedding-service-gpu.Dockerfile'),
    manifests: yamlFiles(join(root, 'k8s')).flatMap((path) => readManifests(root, path)),
    kustomization: parse(text(KUSTOMIZATION_FILE)) as unknown,
    compose: parse(text(COMPOSE_FILE), { merge: true }) as unknown,
    dockerignore: text('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#')),
    manual: text('docs/deployment.md'),
    exampleFile: text('docs/examples/kubernetes/morgan.yaml'),
  };
}

function buildOutputs(project: string): string[] {
  const { targets } = JSON.parse(project) as { targets: { build: { outputs: string[] } } };
  return targets.build.outputs.map((output) => output.replace('{workspaceRoot}/', ''));
}

function yamlFiles(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** A kustomization is input for kustomize, not an object of the cluster, so it is left out here. */
function readManifests(root: string, path: string): ManifestDocument[] {
  if (basename(path) === 'kustomization.yaml') return [];
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return { file: relative(root, path), content: document.toJS() as ManifestDocument['content'] };
  });
}

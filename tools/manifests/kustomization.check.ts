import { dirname, relative } from 'node:path';
import { z } from 'zod';
import { type DeploymentTree, KUSTOMIZATION_FILE } from './deployment-tree.ts';

/** The part of a Kustomization that is used here; a field outside it is a fault. */
const kustomizationSchema = z.strictObject({
  apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
  kind: z.literal('Kustomization'),
  resources: z.array(z.string()),
  labels: z.array(
    z.strictObject({ pairs: z.record(z.string(), z.string()), includeTemplates: z.literal(true) }),
  ),
  configMapGenerator: z.array(
    z.strictObject({ name: z.string(), literals: z.array(z.string().regex(/^[A-Z][A-Z0-9_]*=/)) }),
  ),
  images: z.array(z.strictObject({ name: z.string(), newTag: z.string() })),
});

export type Kustomization = z.output<typeof kustomizationSchema>;

/** Parses the kustomization, or says what is wrong with it. */
export function parseKustomization({ kustomization }: DeploymentTree): {
  kustomization?: Kustomization;
  faults: readonly string[];
} {
  const { success, data, error } = kustomizationSchema.safeParse(kustomization);
  if (success) return { kustomization: data, faults: [] };
  return {
    faults: error.issues.map(({ path, message }) => `${KUSTOMIZATION_FILE}: ${path.join('.')}: ${message}`),
  };
}

/** Checks that the kustomization takes in every file beside it and sets the version of every image of ours. */
export function kustomizationFaults(tree: DeploymentTree): readonly string[] {
  const { kustomization, faults } = parseKustomization(tree);
  if (!kustomization) return faults;
  const files = tree.manifests.map(({ file }) => relative(dirname(KUSTOMIZATION_FILE), file));
  const listed = kustomization.resources;
  const tags = new Map(kustomization.images.map(({ name, newTag }) => [name, newTag]));
  const ours = tree.services.map(({ name }) => `morgan/${name}`);
  return [
    ...listed.filter((file) => !files.includes(file)).map((file) => `${file} does not exist`),
    ...files.filter((file) => !listed.includes(file)).map((file) => `${file} is not listed`),
    ...ours
      .filter((name) => tags.get(name) !== tree.version)
      .map((name) => `${name} is ${tags.get(name)}, not version ${tree.version}`),
    ...[...tags.keys()].filter((name) => !ours.includes(name)).map((name) => `there is no image ${name}`),
  ].map((fault) => `${KUSTOMIZATION_FILE}: ${fault}`);
}

/** What a generated ConfigMap holds. */
export function configMapData(
  kustomization: Kustomization,
  name: string,
): Record<string, string> | undefined {
  const literals = kustomization.configMapGenerator.find((one) => one.name === name)?.literals;
  if (!literals) return undefined;
  return Object.fromEntries(
    literals.map((literal) => [
      literal.slice(0, literal.indexOf('=')),
      literal.slice(literal.indexOf('=') + 1),
    ]),
  );
}

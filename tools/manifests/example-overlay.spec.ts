import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type ManifestDocument, readDeploymentTree } from './deployment-tree.ts';
import { schemaFaults } from './kubernetes-models.check.ts';
import { typeFaults } from './kubernetes-types.check.ts';
import { isKnownName } from './settings.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'docs/examples/kubernetes');
const tree = readDeploymentTree(ROOT);

interface Overlay {
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string }[];
  readonly configMapGenerator: readonly {
    readonly name: string;
    readonly files?: readonly string[];
    readonly literals?: readonly string[];
  }[];
  readonly patches: readonly {
    readonly target: { readonly kind: string; readonly name: string };
    readonly patch: string;
  }[];
}
interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value: {
    readonly name: string;
    readonly mountPath?: string;
    readonly configMap?: { readonly name: string };
  };
}

const overlay = parse(readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8')) as Overlay;
const literalsOf = (name: string) =>
  new Map(
    overlay.configMapGenerator
      .filter((one) => one.name === name)
      .flatMap(({ literals = [] }) => literals.map((line) => line.split('=', 2) as [string, string])),
  );
const operationsOn = (name: string) =>
  overlay.patches
    .filter(({ target }) => target.name === name)
    .flatMap(({ patch }) => parse(patch) as Operation[]);
const deployment = (name: string) =>
  tree.manifests.find(({ content }) => content.kind === 'Deployment' && content.metadata?.name === name)
    ?.content;

describe('the overlay of the manual', () => {
  it('stands on the base, its own files and images that are built here', () => {
    const files = overlay.configMapGenerator.flatMap((one) => one.files ?? []);
    for (const path of [...overlay.resources, ...files]) expect(existsSync(join(FOLDER, path))).toBe(true);
    const ours = tree.services.map(({ name }) => `morgan/${name}`);
    expect(overlay.images.map(({ name }) => name).sort()).toEqual(ours.sort());
  });

  it.each(tree.services)('sets what $name reads, and mounts what it adds', ({ name, settings }) => {
    const names = [...literalsOf(name).keys()];
    expect(names.filter((one) => !isKnownName(settings, one))).toEqual([]);
    expect(deployment(name)).toBeDefined();
    const added = operationsOn(name);
    const [volumes, mounts] = ['/volumes/-', '/volumeMounts/-'].map((end) =>
      added.filter(({ path }) => path.endsWith(end)).map(({ value }) => value.name),
    );
    expect(volumes).toEqual(mounts);
    expect(added).toHaveLength(2);
  });

  it('reads its files where they are mounted', () => {
    const mountOf = (name: string) =>
      operationsOn(name)
        .map(({ value }) => value.mountPath)
        .find(Boolean);
    const llm = literalsOf('llm-service');
    expect(dirname(llm.get('MORGAN_CONFIG') ?? '')).toBe(mountOf('llm-service'));
    expect(dirname(literalsOf('embedding-service').get('EMBEDDING_MODEL') ?? '')).toBe(
      mountOf('embedding-service'),
    );
    const maps = operationsOn('llm-service').flatMap(({ value }) => value.configMap?.name ?? []);
    expect(overlay.configMapGenerator.map(({ name }) => name)).toEqual(expect.arrayContaining(maps));
  });

  it('is what the manual leads to', () => {
    expect(tree.manual).toContain('(examples/kubernetes/kustomization.yaml)');
  });
});

describe('the autoscaler of the manual', () => {
  const read = (file: string) => parse(readFileSync(join(FOLDER, 'autoscaler', file), 'utf8')) as Overlay;
  const component = read('kustomization.yaml');
  const documents = component.resources.map(
    (file) => ({ file, content: read(file) }) as unknown as ManifestDocument,
  );
  const [autoscaler] = documents as unknown as {
    content: { spec: { scaleTargetRef: { name: string }; minReplicas: number; maxReplicas: number } };
  }[];

  it('is one that Kubernetes takes', async () => {
    expect([...(await schemaFaults(documents)), ...typeFaults(documents)]).toEqual([]);
  });

  it('sets the replicas of a Deployment of the base, which sets them no more, and their parts of the limits', () => {
    const { scaleTargetRef, minReplicas, maxReplicas } = autoscaler?.content.spec ?? {};
    const name = scaleTargetRef?.name ?? '';
    expect(deployment(name)).toMatchObject({ spec: { replicas: minReplicas } });
    expect(component.patches.map(({ target, patch }) => [target, parse(patch) as Operation[]])).toEqual([
      [{ kind: 'Deployment', name }, [{ op: 'remove', path: '/spec/replicas' }]],
    ]);
    expect(component.configMapGenerator[0]).toMatchObject({
      name,
      literals: [`CALLER_LIMIT_REPLICAS=${maxReplicas}`],
    });
    expect(tree.manual).toContain('(examples/kubernetes/autoscaler/kustomization.yaml)');
  });
});

import type { ManifestDocument } from './deployment-tree.ts';

type Model = new (content: object) => { validate(): void };

/** Validates every document against Kubernetes' own schemas, which know the required fields that its types leave out. */
export async function schemaFaults(documents: readonly ManifestDocument[]): Promise<string[]> {
  const faults = await Promise.all(documents.map(documentFaults));
  return faults.flat();
}

async function documentFaults({ file, content }: ManifestDocument): Promise<string[]> {
  const { apiVersion = '', kind = '' } = content;
  const path = `kubernetes-models/${apiVersion}/${kind}`;
  try {
    const models = (await import(path)) as Record<string, Model | undefined>;
    const ModelOfKind = models[kind];
    if (!ModelOfKind) return [`${file}: ${path} has no ${kind}`];
    new ModelOfKind(content).validate();
    return [];
  } catch (error) {
    return [`${file}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

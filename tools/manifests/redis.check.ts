import { parseCompose } from './compose.check.ts';
import type { DeploymentTree } from './deployment-tree.ts';
import { parseQuantity } from './quantity.ts';
import { deploymentsOf } from './workload.check.ts';

/** Redis is a cache: it must stay below its memory limit by forgetting, keep nothing, and be the same everywhere. */
export function redisFaults(tree: DeploymentTree): string[] {
  const found = deploymentsOf(tree).find(({ deployment }) => deployment.metadata?.name === 'redis');
  const container = found?.deployment.spec?.template.spec?.containers[0];
  const inCompose = parseCompose(tree).compose?.services['redis'];
  if (!container || !inCompose) return ['redis is missing from k8s/base or from the Compose file'];
  const { image, args = [], resources } = container;
  const option = (name: string) => args[args.indexOf(name) + 1] ?? '';
  const limit = parseQuantity(resources?.limits?.['memory'] ?? '');
  return [
    ...(parseQuantity(option('--maxmemory')) < limit ? [] : ['--maxmemory is not below the memory limit']),
    ...(option('--maxmemory-policy') === 'allkeys-lru'
      ? []
      : ['a full cache must forget what was used least']),
    ...(option('--save') === '' && option('--appendonly') === 'no' ? [] : ['a cache must not write to disk']),
    ...(inCompose.image === image && inCompose.command?.join(' ') === args.join(' ')
      ? []
      : ['Compose runs another Redis']),
  ].map((fault) => `${found?.file}: ${fault}`);
}

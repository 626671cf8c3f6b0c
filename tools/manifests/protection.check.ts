import type { NetworkPolicy } from 'kubernetes-types/networking/v1.js';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js';
import type { DeploymentTree } from './deployment-tree.ts';
import { deploymentsOf, selects } from './workload.check.ts';

type Found = ReturnType<typeof deploymentsOf>[number];

/** Checks that replicas are never taken away together, and that who may reach Redis, which has no password, is said. */
export function protectionFaults(tree: DeploymentTree): string[] {
  return [...budgetFaults(tree), ...policyFaults(tree)];
}

function budgetFaults(tree: DeploymentTree): string[] {
  const budgets = tree.manifests.filter(({ content }) => content.kind === 'PodDisruptionBudget');
  const matches = ({ spec }: PodDisruptionBudget, { deployment }: Found) =>
    selects(spec?.selector?.matchLabels, deployment.spec?.template.metadata?.labels ?? {});
  const unprotected = deploymentsOf(tree).filter(
    (found) =>
      (found.deployment.spec?.replicas ?? 1) > 1 &&
      !budgets.some(({ content }) => matches(content as PodDisruptionBudget, found)),
  );
  const blocking = budgets.filter(({ content }) => {
    const budget = content as PodDisruptionBudget;
    const found = deploymentsOf(tree).filter((each) => matches(budget, each));
    return found.length !== 1 || budget.spec?.maxUnavailable !== 1;
  });
  return [
    ...unprotected.map(({ file }) => `${file}: its replicas may be evicted together`),
    ...blocking.map(
      ({ file }) => `${file}: it must allow the eviction of one pod of one Deployment at a time`,
    ),
  ];
}

function policyFaults(tree: DeploymentTree): string[] {
  const redis = deploymentsOf(tree).find(({ deployment }) => deployment.metadata?.name === 'redis');
  const labels = redis?.deployment.spec?.template.metadata?.labels ?? {};
  const policies = tree.manifests
    .filter(({ content }) => content.kind === 'NetworkPolicy')
    .map(({ content }) => content as NetworkPolicy)
    .filter(({ spec }) => selects(spec?.podSelector?.matchLabels, labels));
  const peers = policies.flatMap(({ spec }) => (spec?.ingress ?? []).map(({ from = [] }) => from));
  // A rule without peers lets everybody in.
  if (peers.length === 0 || peers.some((from) => from.length === 0)) return ['anybody may reach redis'];
  return tree.services
    .filter(
      ({ name }) =>
        !peers
          .flat()
          .some(({ podSelector }) => podSelector?.matchLabels?.['app.kubernetes.io/name'] === name),
    )
    .map(({ name }) => `${name} may not reach redis`);
}

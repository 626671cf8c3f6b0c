import type { NetworkPolicy } from 'kubernetes-types/networking/v1.js';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js';
import type { DeploymentTree } from './deployment-tree.ts';
import { deploymentsOf, selects } from './workload.check.ts';

type Found = ReturnType<typeof deploymentsOf>[number];

const NAME = 'app.kubernetes.io/name';

/** What asks nobody for a key, or need not, and who calls it within the base. */
const CALLERS: Readonly<Record<string, readonly string[]>> = {
  redis: ['llm-service', 'embedding-service'],
  'embedding-service': ['llm-service'],
};

/** Checks that replicas are never taken away together, and that who may reach what asks for no key is said. */
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
  return Object.entries(CALLERS).flatMap(([name, callers]) => policyFaultsOf(name, callers, tree));
}

function policyFaultsOf(name: string, callers: readonly string[], tree: DeploymentTree): string[] {
  const template = deploymentsOf(tree).find(({ deployment }) => deployment.metadata?.name === name)
    ?.deployment.spec?.template;
  const ports = template?.spec?.containers.flatMap((container) => container.ports ?? []) ?? [];
  const rules = tree.manifests
    .filter(({ content }) => content.kind === 'NetworkPolicy')
    .map(({ content }) => content as NetworkPolicy)
    .filter(({ spec }) => selects(spec?.podSelector?.matchLabels, template?.metadata?.labels ?? {}))
    .flatMap(({ spec }) => spec?.ingress ?? []);
  const peers = rules.map(({ from = [] }) => from);
  // A rule without peers lets everybody in.
  if (peers.length === 0 || peers.some((from) => from.length === 0)) return [`anybody may reach ${name}`];
  return [
    ...callers
      .filter(
        (caller) => !peers.flat().some(({ podSelector }) => podSelector?.matchLabels?.[NAME] === caller),
      )
      .map((caller) => `${caller} may not reach ${name}`),
    // A name that no container has is no port at all.
    ...rules
      .flatMap((rule) => rule.ports ?? [])
      .filter(({ port }) => !ports.some((own) => own.name === port))
      .map(({ port }) => `${name} has no port ${port}`),
  ];
}

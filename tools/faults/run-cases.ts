import { setTimeout as delay } from 'node:timers/promises';
import type { FaultCase } from './fault-case.ts';
import { CONTROL, type Gateway, startAlone, startShared } from './gateways.ts';
import { Seed } from './seed.ts';
import { Stage } from './stage.ts';
import type { Result } from './verdict.ts';

/** Cases of one gateway begin within so long, in milliseconds. */
const SPREAD_MS = 15_000;
/** Gateways of one case that run at a time. */
const ALONE_AT_ONCE = 4;

/** Runs the cases, those that share a gateway beside each other. The results come in the order of the cases. */
export async function runCases(cases: readonly FaultCase[], seed: number): Promise<Result[]> {
  const results = new Map<FaultCase, Result>();
  const alone = cases.filter(({ group, isHeavy }) => group === 'default' && !isHeavy);
  const lanes = Array.from({ length: ALONE_AT_ONCE }, async () => {
    for (let next = alone.shift(); next; next = alone.shift()) await runAlone(next, seed, results);
  });
  await Promise.all([
    runShared('short', cases, { seed, results }),
    runShared('scaled', cases, { seed, results }),
    ...lanes,
  ]);
  for (const heavy of cases.filter(({ isHeavy }) => isHeavy)) await runAlone(heavy, seed, results);
  return cases.flatMap((definition) => results.get(definition) ?? []);
}

interface Run {
  readonly seed: number;
  readonly results: Map<FaultCase, Result>;
}

async function runShared(
  group: 'short' | 'scaled',
  all: readonly FaultCase[],
  { seed, results }: Run,
): Promise<void> {
  const cases = all.filter((definition) => definition.group === group);
  if (cases.length === 0) return;
  await using gateway = await startShared(group, cases);
  const spreadMs = Math.min(SPREAD_MS, cases.length * 150);
  await Promise.all(
    cases.map(async (definition) => {
      await delay(new Seed(seed, `start of ${definition.name}`).between(0, spreadMs));
      results.set(definition, await play(definition, gateway, seed));
    }),
  );
}

async function runAlone(definition: FaultCase, seed: number, results: Map<FaultCase, Result>): Promise<void> {
  await using gateway = await startAlone(definition);
  results.set(definition, await play(definition, gateway, seed));
}

async function play(definition: FaultCase, gateway: Gateway, seed: number): Promise<Result> {
  const stage = new Stage({
    definition,
    origin: gateway.origin,
    pid: gateway.pid,
    hosts: gateway.hostsOf(definition),
    seed: new Seed(seed, definition.name),
    control: definition.group === 'default' ? undefined : CONTROL,
  });
  const unreadyBefore = gateway.unready.length;
  try {
    await definition.run(stage);
  } catch (error) {
    stage.misses.push(`the case broke: ${error instanceof Error ? error.message : String(error)}`);
  }
  stage.misses.push(...gateway.unready.slice(unreadyBefore, unreadyBefore + 1));
  return stage.result();
}

import type { FaultCase } from './fault-case.ts';
import { CONTROL, type Gateway, startAlone, startShared } from './gateways.ts';
import { Seed } from './seed.ts';
import { Stage } from './stage.ts';
import type { Result } from './verdict.ts';

/** Cases of a shared gateway that run at a time, and gateways of one case: no more than a small machine can bear. */
const SHARED_AT_ONCE = 32;
const ALONE_AT_ONCE = 4;
/** A machine that stood still for so long while a case ran, in milliseconds, says nothing about the gateway. */
const DISTURBED_MS = 1_000;
const MOST_ROUNDS = 3;

/** What came of a run. */
interface Run {
  /** In the order of the cases. */
  readonly results: readonly Result[];
  /** Cases that were played again, as the machine had stood still. */
  readonly playedAgain: number;
}

/** Runs the cases, those that share a gateway beside each other. */
export async function runCases(cases: readonly FaultCase[], seed: number): Promise<Run> {
  const results = new Map<FaultCase, Result>();
  let left = cases;
  let playedAgain = 0;
  for (let round = 1; left.length > 0; round += 1) {
    await runOnce(left, seed, results);
    const disturbed = left.filter((one) => isDisturbed(results.get(one)));
    left = round < MOST_ROUNDS ? disturbed : [];
    playedAgain += left.length;
  }
  return { results: cases.flatMap((definition) => results.get(definition) ?? []), playedAgain };
}

function isDisturbed(result: Result | undefined): boolean {
  return result !== undefined && result.misses.length > 0 && result.stalledMs >= DISTURBED_MS;
}

async function runOnce(
  cases: readonly FaultCase[],
  seed: number,
  results: Map<FaultCase, Result>,
): Promise<void> {
  // One group after the other: a machine with two cores has enough to do with one.
  for (const group of ['short', 'streams', 'scaled'] as const) {
    const shared = cases.filter((definition) => definition.group === group);
    if (shared.length === 0) continue;
    await using gateway = await startShared(group, shared);
    await inLanes(shuffled(shared, seed), SHARED_AT_ONCE, async (definition) => {
      results.set(definition, await play(definition, gateway, seed));
    });
  }
  const alone = cases.filter(({ group }) => group === 'default');
  const runAlone = async (definition: FaultCase) => {
    await using gateway = await startAlone(definition);
    results.set(definition, await play(definition, gateway, seed));
  };
  await inLanes(
    alone.filter(({ isHeavy }) => !isHeavy),
    ALONE_AT_ONCE,
    runAlone,
  );
  await inLanes(
    alone.filter(({ isHeavy }) => isHeavy),
    1,
    runAlone,
  );
}

/** The seed says what happens beside what. */
function shuffled(cases: readonly FaultCase[], seed: number): FaultCase[] {
  const drawn = cases.map((one) => ({ one, at: new Seed(seed, `start of ${one.name}`).next() }));
  return drawn.sort((left, right) => left.at - right.at).map(({ one }) => one);
}

async function inLanes(
  cases: readonly FaultCase[],
  lanes: number,
  run: (definition: FaultCase) => Promise<void>,
): Promise<void> {
  const left = [...cases];
  const lane = async () => {
    for (let next = left.shift(); next; next = left.shift()) await run(next);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function play(definition: FaultCase, gateway: Gateway, seed: number): Promise<Result> {
  const { watch } = gateway;
  const stage = new Stage({
    definition,
    origin: gateway.origin,
    pid: gateway.pid,
    hosts: gateway.hostsOf(definition),
    seed: new Seed(seed, definition.name),
    control: definition.group === 'default' ? undefined : CONTROL,
    watch,
  });
  const unreadyBefore = watch.unready.length;
  try {
    await definition.run(stage);
  } catch (error) {
    stage.misses.push(`the case broke: ${error instanceof Error ? error.message : String(error)}`);
  }
  stage.misses.push(...watch.unready.slice(unreadyBefore, unreadyBefore + 1));
  return stage.result();
}

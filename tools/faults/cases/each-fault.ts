import type { Fault } from '../fault.ts';
import type { FaultCase } from '../fault-case.ts';
import { GOOD } from '../fault-host.ts';
import { PROMPT_MS, type Stage } from '../stage.ts';
import type { Expected } from '../verdict.ts';
import { FAULTS } from './fault-list.ts';

/** The other hosts that a fault meets. */
const LAYOUTS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  alone: [['a']],
  equal: [['a', 'b']],
  tier: [['a'], ['b']],
};

const CALLERS = 6;
/** A call that hears nothing begins at another host after so long (the first-token limit of the group). */
const HEDGED_MS = 1_500;
/** Longer than a host is passed over that says no time. */
const OWN_REST_MS = 1_200;
/** Callers of a crowd reach a host within so long. */
const TOGETHER_MS = 500;
const BACK_ALONE_MS = 10_000;
const BACK_MS = 30_000;

/** Each fault, at a host that is alone, beside an equal one, and above another tier. */
export const eachFault: readonly FaultCase[] = FAULTS.flatMap((fault) =>
  Object.entries(LAYOUTS).map(([layout, tiers]) => caseOf(fault, layout, tiers)),
);

const DEFAULTS = [
  '404-ollama',
  '401',
  '429-seconds',
  '500',
  'refused',
  'cut-behind-headers',
  'html',
  'error-as-first-event',
];

/** Some of them with nothing configured but the hosts. */
export const atDefaults: readonly FaultCase[] = FAULTS.filter(({ name }) => DEFAULTS.includes(name)).map(
  (fault) => ({
    ...caseOf(fault, 'equal', [['a', 'b']], 'default'),
    name: `default/${fault.name}/equal`,
  }),
);

function caseOf(
  fault: Fault,
  layout: string,
  tiers: readonly (readonly string[])[],
  group: 'short' | 'default' = 'short',
): FaultCase {
  const isAlone = layout === 'alone';
  const expected = expectedOf(fault, isAlone);
  const backMs = isAlone ? Math.max(BACK_ALONE_MS, fault.saidMs ?? 0) : BACK_MS;
  const { status = 200, attempts } = { ...expected };
  return {
    name: `${fault.name}/${layout}`,
    group,
    tiers,
    trouble: `${fault.name} at a${isAlone ? '' : layout === 'equal' ? ', equal b is well' : ', b of the next tier is well'}`,
    bound: `${status} with ${attempts} attempts at most; back in ${backMs / 1_000} s`,
    async run(stage) {
      await stage.warm(tiers.flat().length);
      await stage.pause(0, 400);
      // What is the request's doing happens wherever it goes.
      for (const host of fault.isRequests ? stage.hosts : [stage.primary])
        await stage.begin({ name: fault.name, reply: fault.reply }, host);
      const beside = stage.beside();
      const { isStream } = fault;
      const caller = isStream === undefined ? {} : { isStream };
      // Where callers come one after the other the default strategy may need only one of two hosts.
      if (group === 'default') await stage.crowd(2 * CALLERS, caller, expected);
      await stage.calls((fault.slowMs ?? 0) > 0 ? CALLERS / 2 : CALLERS, caller, expected);
      await beside;
      if (fault.saidMs !== undefined) {
        await stage.pause(OWN_REST_MS, OWN_REST_MS + 400);
        await stage.calls(2, caller, expected);
      }
      holdRest(stage, fault);
      for (const host of stage.hosts) await host.behave(GOOD);
      await stage.untilBack({ withinMs: backMs, others: !isAlone });
    },
  };
}

function expectedOf(fault: Fault, isAlone: boolean): Expected {
  const { alone, repeats = 1, isRequests = false, slowMs = 0 } = fault;
  if (isAlone || isRequests) return { ...alone, withinMs: slowMs + PROMPT_MS, attempts: repeats };
  return { withinMs: Math.min(slowMs, HEDGED_MS) + PROMPT_MS, attempts: repeats + 1 };
}

/** A host that said when is not asked before. */
function holdRest(stage: Stage, { saidMs, name }: Fault): void {
  if (saidMs === undefined) return;
  const refused = stage.primary.seen.filter(({ did }) => did === name);
  const first = refused[0];
  if (!first) stage.misses.push('the host was never asked');
  // Who was on the way already meets the same wall. Dates and seconds since 1970 are whole seconds.
  const early = refused.filter(
    ({ at }) => first && at > first.at + TOGETHER_MS && at < first.at + saidMs - 1_500,
  );
  if (early.length > 0) stage.misses.push(`asked ${early.length} times in the time that it asked for`);
}

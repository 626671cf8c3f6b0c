import type { FaultCase } from '../fault-case.ts';
import { PROMPT_MS } from '../stage.ts';
import { json, models, refusal, type Reply, silence, text } from '../replies.ts';

const LISTS: Readonly<Record<string, Reply>> = {
  '401': refusal(401, 'Incorrect API key provided.'),
  '404': json(404, { detail: 'Not Found' }),
  '500': refusal(500, 'Not for you.'),
  html: text(200, 'text/html', '<html>Welcome to nginx!</html>'),
  hang: silence,
  'other-names': models('something-else'),
};

const LAYOUTS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  alone: [['a']],
  equal: [['a', 'b']],
};

const CALLS = 12;

/** The list of models does not work, and chats do: the host is used as any other. */
export const probeCases: readonly FaultCase[] = Object.entries(LISTS).flatMap(([name, list]) =>
  Object.entries(LAYOUTS).map(([layout, tiers]): FaultCase => ({
    name: `models-${name}/${layout}`,
    group: 'short',
    tiers,
    list,
    trouble: `GET /models at a: ${name}; chats are well`,
    bound: 'every call 200, and a is asked',
    async run(stage) {
      await stage.pause(0, 6_000);
      await stage.calls(CALLS, {}, { withinMs: PROMPT_MS, attempts: 1 });
      // A list that names other models is a reason to ask the other host first.
      if (stage.primary.seen.length === 0 && name !== 'other-names') stage.misses.push('a was never asked');
    },
  })),
);

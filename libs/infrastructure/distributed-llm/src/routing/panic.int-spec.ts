import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CHAT, ClientBench, entry, send } from '../../fixture/client-bench.ts';
import { chat, reset, ScriptedHost } from '../../fixture/scripted-host.ts';
import type { DistributedLlmClient } from '../client/distributed-llm.client.ts';

let bench: ClientBench;
const hosts: ScriptedHost[] = [];

beforeEach(() => {
  bench = new ClientBench();
});
afterEach(async () => {
  await bench.close();
  for (const host of hosts.splice(0)) await host[Symbol.asyncDispose]();
});

let content = 0;
async function succeeds(client: DistributedLlmClient): Promise<boolean> {
  content += 1;
  const messages = [{ role: 'user', content: String(content) }];
  const body = Buffer.from(JSON.stringify({ ...CHAT, messages }));
  try {
    const response = await send(client, { body });
    await response.body.bytes();
    return response.status === 200;
  } catch {
    return false;
  }
}

/** How many calls it takes until one succeeds. */
async function callsUntilSuccess(client: DistributedLlmClient): Promise<number> {
  let calls = 1;
  while (!(await succeeds(client))) calls += 1;
  return calls;
}

/** All hosts down for 30 calls; then one of them comes back; then all. */
async function outage(count: number) {
  for (let index = 0; index < count; index += 1) hosts.push(await ScriptedHost.start(reset));
  const list = hosts.map(({ url }, index) => entry(`h${index}`, url));
  const client = bench.client(list, { budget: { minPerSecond: 1_000 } });
  const askedBefore = () => hosts.reduce((sum, { asked }) => sum + asked, 0);
  let unasked = 0;
  for (let call = 0; call < 30; call += 1) {
    const before = askedBefore();
    await succeeds(client);
    if (askedBefore() === before) unasked += 1;
  }
  (hosts[0] as ScriptedHost).reply = chat('back');
  const untilOne = await callsUntilSuccess(client);
  for (const host of hosts) host.reply = chat('back');
  const untilAll = await callsUntilSuccess(client);
  return { hosts: count, unasked, untilOne, untilAll };
}

describe('an outage of every host', () => {
  // Of 30 calls none is refused without an attempt. A call ends after three hosts that fail alike, so with more of them
  // it may take a few calls until the only one that is back is found; where all are back it takes one.
  it.each([
    { hosts: 1, unasked: 0, untilOne: 1, untilAll: 1 },
    { hosts: 2, unasked: 0, untilOne: 1, untilAll: 1 },
    { hosts: 3, unasked: 0, untilOne: 1, untilAll: 1 },
    { hosts: 10, unasked: 0, untilOne: 4, untilAll: 1 },
  ])('of $hosts: $unasked calls unasked, over within $untilOne calls where one is back', async (most) => {
    const seen = await outage(most.hosts);
    expect(seen).toMatchObject({ unasked: most.unasked, untilAll: most.untilAll });
    expect(seen.untilOne).toBeLessThanOrEqual(most.untilOne);
  });
});

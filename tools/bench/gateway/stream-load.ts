import { setTimeout as delay } from 'node:timers/promises';
import { median, quantile } from '../bench-row.ts';
import { monotonicMs, SAID_AT } from './clock.ts';
import { chatRequest, type Target, WireConnection } from './wire-connection.ts';

/** Streams that run beside each other, each of a caller who asks for one after the other. */
export interface StreamLoad {
  readonly callers: number;
  readonly streamsEach: number;
  /** Of one stream. */
  readonly events: number;
  /** In one stream; 0: as fast as they are taken. */
  readonly eventsPerSecond: number;
  /** Whether the host has the first without the time that all others take. Default false. */
  readonly isFirstAtOnce?: boolean;
  /** The time over which the callers begin. */
  readonly beginMs: number;
}

/** What callers saw, in milliseconds. Events of a load without a pace do not say when they left. */
export interface StreamFigures {
  /** From the request to the first content, as a median. */
  readonly firstTokenMs: number;
  /** From the moment an event left the host until it was there. */
  readonly delayP99Ms: number;
  readonly longestDelayMs: number;
  readonly eventsPerSecond: number;
}

export async function streamsOf(target: Target, load: StreamLoad): Promise<StreamFigures> {
  const { callers, streamsEach, events, eventsPerSecond, isFirstAtOnce = false, beginMs } = load;
  const connections: WireConnection[] = [];
  while (connections.length < callers) connections.push(await WireConnection.to(target));
  const start = isFirstAtOnce ? ', the first at once' : '';
  const request = chatRequest(target, `${events} events, ${eventsPerSecond} a second${start}`, true);
  const firstTokens: number[] = [];
  const delays: number[] = [];
  const startedAt = monotonicMs();
  const call = async (connection: WireConnection, at: number) => {
    if (beginMs > 0) await delay((at * beginMs) / callers);
    for (let stream = 0; stream < streamsEach; stream += 1) {
      const askedAt = monotonicMs();
      let seen = 0;
      await connection.send(request, (data) => {
        const now = monotonicMs();
        for (const saidAt of stampsIn(data)) {
          if (seen === 0) firstTokens.push(now - askedAt);
          seen += 1;
          delays.push(now - saidAt);
        }
      });
      if (eventsPerSecond > 0 && seen < events * 0.9) throw new Error(`${seen} of ${events} events came`);
    }
  };
  await Promise.all(connections.map(call));
  const seconds = (monotonicMs() - startedAt) / 1_000;
  for (const connection of connections) connection.close();
  return {
    firstTokenMs: median(firstTokens),
    delayP99Ms: quantile(delays, 0.99),
    longestDelayMs: quantile(delays, 1),
    eventsPerSecond: (callers * streamsEach * events) / seconds,
  };
}

/** When the events of a piece left the host. Of one that is cut in two nothing is known. */
function* stampsIn(data: Buffer): Generator<number> {
  for (let at = data.indexOf(SAID_AT); at !== -1; at = data.indexOf(SAID_AT, at + 1)) {
    const end = data.indexOf('"', at);
    if (end !== -1) yield Number(data.toString('latin1', at + SAID_AT.length, end));
  }
}

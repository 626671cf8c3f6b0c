import type { FaultCase } from '../fault-case.ts';
import { GOOD } from '../fault-host.ts';
import { type HostRequest, type Reply, startEvents } from '../replies.ts';
import type { Stage } from '../stage.ts';
import {
  type ResponseKind,
  DONE,
  lastPlace,
  REQUEST_OF,
  type StreamResponse,
  streamResponse,
} from '../streams/stream-responses.ts';
import { missesOfStream } from '../streams/stream-verdict.ts';

/** What a host does with the rest of a response that it has begun. `half`: how much of the next event is sent. */
type Break = (
  response: Parameters<Reply>[0],
  left: Pick<StreamResponse, 'events' | 'tail'> & { readonly half: number },
) => void;

interface StreamFault {
  readonly breaks: Break;
  /** The response is complete all the same. */
  readonly isHarmless?: boolean;
}

const ERROR = { error: { message: 'Engine core died.', type: 'server_error', code: 500 } };

const FAULTS: Readonly<Record<string, StreamFault>> = {
  cut: {
    breaks: (response, { events: [next = ''], half }) =>
      void response.write(next.slice(0, next.length * half), () => response.destroy()),
  },
  reset: { breaks: (response) => void response.socket?.resetAndDestroy() },
  stall: {
    breaks: (response, { events: [next = ''], half }) => response.write(next.slice(0, next.length * half)),
  },
  'ends-early': { breaks: (response) => response.end() },
  error: { breaks: (response) => response.end(`data: ${JSON.stringify(ERROR)}\n\n${DONE}`) },
  malformed: {
    breaks: (response, { events, tail }) =>
      response.end(['data: {"choices":[{"del\n\n', ...events, ...tail].join('')),
    isHarmless: true,
  },
  'no-end-marker': {
    breaks: (response, { events, tail }) => response.end([...events, tail[0]].join('')),
    isHarmless: true,
  },
  'wrong-usage': {
    breaks: (response, { events, tail }) =>
      response.end([...events, ...tail].join('').replace(/_tokens":\d+/g, '_tokens":999999')),
    isHarmless: true,
  },
};

const LAYOUTS: Readonly<Record<string, Pick<FaultCase, 'tiers' | 'continues'>>> = {
  alone: { tiers: [['a']] },
  elsewhere: { tiers: [['a'], ['b']] },
  continued: { tiers: [['a'], ['b']], continues: 'b' },
};

const CALLERS = 3;

/** A good response of such a kind: of what was said already only the rest. */
const whole =
  (kind: ResponseKind, perEvent: number): Reply =>
  (response, request) => {
    startEvents(response);
    const { events, tail } = responseOf(kind, request, perEvent);
    response.end([...events, ...tail].join(''));
  };

function responseOf(kind: ResponseKind, { model, says }: HostRequest, perEvent: number): StreamResponse {
  // Who is asked to go on finds the assistant's text in the place of the caller's.
  const said = says.startsWith('#') ? '' : says;
  return streamResponse(kind, { id: `c${perEvent}`, model, perEvent, said });
}

/** The host breaks only when its caller has read what came before: then the place is the place for both. */
async function breakOnce(stage: Stage, kind: ResponseKind, { breaks, isHarmless = false }: StreamFault) {
  const place = stage.seed.between(2, lastPlace(kind));
  const half = stage.seed.next();
  const isRead = Promise.withResolvers<void>();
  const reply: Reply = (response, request) => {
    const { events, tail } = responseOf(kind, request, 1);
    startEvents(response);
    response.write(events.slice(0, place).join(''));
    void isRead.promise.then(() => breaks(response, { events: events.slice(place), tail, half }));
  };
  await stage.primary.behave({ name: `after ${place} events`, reply });
  const asked = stage.hosts.map((host) => host.seen.length);
  const seen = await stage.call({
    isStream: true,
    more: REQUEST_OF[kind],
    onText: (text) => {
      if (text.split('data: {').length > place) isRead.resolve();
    },
  });
  const isWhole = isHarmless || (kind === 'text' && stage.hosts.length > 1);
  const text = streamResponse(kind, { id: '', model: '' }).whole;
  stage.misses.push(...missesOfStream(seen, { whole: text, isWhole }));
  const attempts = stage.hosts.reduce((sum, host, at) => sum + host.seen.length - (asked[at] ?? 0), 0);
  const expected = isWhole && !isHarmless ? 2 : 1;
  if (attempts !== expected) stage.misses.push(`${seen.caller}: ${attempts} attempts, not ${expected}`);
}

function caseOf(name: string, fault: StreamFault, kind: ResponseKind, layout: string): FaultCase {
  const isResumed = kind === 'text' && layout !== 'alone' && !fault.isHarmless;
  const broken = isResumed
    ? 'all of it, without a seam, 2 attempts'
    : 'an error event, no [DONE], a broken transfer';
  return {
    name: `stream-${name}/${kind}/${layout}`,
    group: 'streams',
    tiers: [],
    ...LAYOUTS[layout],
    trouble: `${name} at a, at ${CALLERS} places of a streamed answer (${kind})`,
    bound: `${fault.isHarmless ? 'all of it, [DONE], 1 attempt' : broken}; back in ${layout === 'alone' ? 10 : 30} s`,
    async run(stage) {
      await stage.begin(GOOD);
      for (const other of stage.hosts.slice(1)) await other.behave({ name: 'ok', reply: whole(kind, 2) });
      for (let caller = 0; caller < CALLERS; caller += 1) await breakOnce(stage, kind, fault);
      await stage.beside();
      for (const host of stage.hosts) await host.behave(GOOD);
      await stage.untilBack({ withinMs: layout === 'alone' ? 10_000 : 30_000, others: layout !== 'alone' });
    },
  };
}

const KINDS: readonly ResponseKind[] = ['text', 'tool-call', 'structured'];

/** Streams that go wrong after their first content: each fault, each kind of response, with and without a place to resume. */
export const streamFaults: readonly FaultCase[] = Object.entries(FAULTS).flatMap(([name, fault]) =>
  KINDS.flatMap((kind) =>
    Object.keys(LAYOUTS)
      // Only texts are continued, and only where they broke off.
      .filter((layout) => layout !== 'continued' || (kind === 'text' && !fault.isHarmless))
      .map((layout) => caseOf(name, fault, kind, layout)),
  ),
);

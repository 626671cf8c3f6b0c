import { type BenchRow, byTurns, compare, median } from '../bench-row.ts';
import type { Child } from '../child.ts';
import { type BareSettings, bestSettings, describe, runBare } from './bare.ts';
import type { BenchModel } from './bench-models.ts';
import { benchTexts, type TextKind } from './bench-texts.ts';
import { type LoadShape, sendAll } from './embedding-load.ts';
import { startLeastServer, startMorgan, startPeer } from './embedding-servers.ts';

const ROUNDS = 5;
const CLIENTS: LoadShape = { clients: 64, textsPerRequest: 1 };
const BATCHES: LoadShape = { clients: 2, textsPerRequest: 256 };
const MIXED: LoadShape = { clients: 8, textsPerRequest: 32 };
/**
 * Calls after which hardly anything of a server is compiled any more (`--trace-opt`: 130 functions between 8,192 and 12,288 calls, 15
 * from 24,576 to 28,672); a round is too short for that.
 */
const WARM_UP_CALLS = 24_576;
const ALONE: LoadShape = { clients: 1, textsPerRequest: 1 };
const UNIT = 'texts/CPU-s';
/** Behind the name of a line: the bare runtime has the graph that is served, not the one of the model's package. No claim of ours. */
const SERVED = 'against the served graph';
/** Of a round's texts, what peers get: one of them is six times slower. */
const PEER_SHARE = 1 / 4;
/** What a text that is alone may take longer than in the bare runtime. */
const ADDED_MS = 1;

let seed = 1;

/** embedding-service against the bare runtime and its peers, all with the same model and by turns. */
export async function modelRows(model: BenchModel): Promise<BenchRow[]> {
  using morgan = await startMorgan(model.folder);
  const short = await bestSettings(model, 'short');
  return [
    ...(await shortTexts(model, morgan, short)),
    ...(await mixedTexts(model, morgan)),
    ...(await textAlone(model, morgan, short)),
  ];
}

async function shortTexts(model: BenchModel, morgan: Child, settings: BareSettings): Promise<BenchRow[]> {
  using servers = new DisposableStack();
  const served = { ...model, plainFolder: model.folder };
  const least = servers.use(await startLeastServer(model.folder));
  const measures = {
    bare: () => bareRate(model, 'short', settings),
    ...(model.plainFolder !== undefined && { bareServed: () => bareRate(served, 'short', settings) }),
    clients: () => rateOf(morgan, model, 'short', CLIENTS),
    least: () => rateOf(least, model, 'short', CLIENTS),
    batches: () => rateOf(morgan, model, 'short', BATCHES),
  };
  for (const server of [morgan, least]) await sendAll(server, nextTexts('short', WARM_UP_CALLS), CLIENTS);
  await sendAll(morgan, nextTexts('short', model.texts.short), BATCHES);
  const ofPeers: Record<string, () => Promise<number>> = {};
  for (const name of model.peers) {
    const peer = servers.use(await startPeer(name, model.folder));
    const texts = { ...model.texts, short: model.texts.short * PEER_SHARE };
    ofPeers[name] = () => rateOf(peer, { ...model, texts }, 'short', BATCHES);
  }
  const rounds = await byTurns<string, number>(ROUNDS, { ...measures, ...ofPeers });
  const pairs = (own: string, theirs: string) =>
    rounds.map((figures) => [figures[own] ?? NaN, figures[theirs] ?? NaN] as const);
  const common = { unit: UNIT, better: 'more', baseline: describe(settings) } as const;
  const clients = `${model.name}: 16 tokens each, 64 clients with one text`;
  const batches = `${model.name}: 16 tokens each, batches of 256`;
  return [
    compare({ ...common, name: clients, target: 0.9 }, pairs('clients', 'bare')),
    compare({ ...common, name: `${clients}, the parts alone` }, pairs('least', 'bare')),
    compare({ ...common, name: batches, target: 0.97 }, pairs('batches', 'bare')),
    ...(model.plainFolder === undefined
      ? []
      : [
          compare({ ...common, name: `${clients}, ${SERVED}` }, pairs('clients', 'bareServed')),
          compare({ ...common, name: `${batches}, ${SERVED}` }, pairs('batches', 'bareServed')),
        ]),
    ...model.peers.map((peer) =>
      compare({ ...common, name: batches, baseline: `${peer} behind node:http` }, pairs('batches', peer)),
    ),
  ];
}

async function mixedTexts(model: BenchModel, morgan: Child): Promise<BenchRow[]> {
  const settings = await bestSettings(model, 'mixed');
  const rounds = await byTurns(ROUNDS, {
    own: () => rateOf(morgan, model, 'mixed', MIXED),
    bare: () => bareRate(model, 'mixed', settings),
  });
  return [
    compare(
      {
        name: `${model.name}: 4 to 128 tokens mixed, 8 clients with 32 texts`,
        unit: UNIT,
        better: 'more',
        baseline: `${describe(settings)}, sorted`,
        target: 0.95,
      },
      rounds.map(({ own, bare }) => [own, bare]),
    ),
  ];
}

async function textAlone(model: BenchModel, morgan: Child, { threads }: BareSettings): Promise<BenchRow[]> {
  const texts = model.texts.alone;
  const rounds = await byTurns(ROUNDS, {
    own: async () => median((await sendAll(morgan, nextTexts('short', texts), ALONE)).timesMs),
    bare: async () =>
      (await runBare(model, { kind: 'short', texts, batch: 1, threads, alone: true })).medianMs,
  });
  return [
    compare(
      {
        name: `${model.name}: one idle text of 16 tokens, median`,
        unit: 'ms',
        better: 'less',
        baseline: `bare runtime + ${ADDED_MS} ms`,
        target: 1,
      },
      rounds.map(({ own, bare }) => [own, bare + ADDED_MS]),
    ),
  ];
}

async function bareRate(model: BenchModel, kind: TextKind, settings: BareSettings): Promise<number> {
  const task = { kind, texts: model.texts[kind], ...settings };
  return (await runBare(model, task)).textsPerCpuSecond;
}

async function rateOf(
  server: Child,
  { texts }: BenchModel,
  kind: TextKind,
  shape: LoadShape,
): Promise<number> {
  return (await sendAll(server, nextTexts(kind, texts[kind]), shape)).textsPerCpuSecond;
}

/** Texts that nobody has seen before. */
function nextTexts(kind: TextKind, count: number): string[] {
  seed += 1;
  return benchTexts(kind, count, seed);
}

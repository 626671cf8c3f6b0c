import { runTool, UsageError } from '../command-line/run-tool.ts';

type Soak = (args: readonly string[]) => Promise<readonly string[]>;

const SOAKS: Readonly<Record<string, Soak>> = {
  gateway: async (args) => (await import('./gateway-soak.ts')).gatewaySoak(args),
  embeddings: async (args) => (await import('./embedding-soak.ts')).embeddingSoak(args),
};

const USAGE = `usage: npm run soak -- [gateway] [--requests 200000] [--streams 20000] [--faults 0.05] [--seed N]
       npm run soak -- embeddings [--minutes 10] [--ceiling-mb 1536] [--seed N]`;

/** Exits 1 where something does not hold. */
async function main(args: readonly string[]): Promise<void> {
  const [first = ''] = args;
  const isNamed = first !== '' && !first.startsWith('-');
  const name = isNamed ? first : 'gateway';
  const soak = Object.hasOwn(SOAKS, name) ? SOAKS[name] : undefined;
  if (!soak) throw new UsageError(`no such soak: ${name}`);
  const misses = await soak(isNamed ? args.slice(1) : args);
  for (const miss of misses) console.log(`  - ${miss}`);
  console.log(misses.length === 0 ? 'everything holds' : `${misses.length} things do not hold`);
  process.exit(misses.length === 0 ? 0 : 1);
}

await runTool(USAGE, main);

type Soak = (args: readonly string[]) => Promise<readonly string[]>;

const SOAKS: Readonly<Record<string, Soak>> = {
  gateway: async (args) => (await import('./gateway-soak.ts')).gatewaySoak(args),
  embeddings: async (args) => (await import('./embedding-soak.ts')).embeddingSoak(args),
};

/** `npm run soak [-- gateway | embeddings] [options]`: exits 1 where something does not hold. */
async function main(args: readonly string[]): Promise<void> {
  const [first = ''] = args;
  const isNamed = first !== '' && !first.startsWith('-');
  const soak = SOAKS[isNamed ? first : 'gateway'];
  if (!soak) throw new Error(`no such soak: ${first}; there are ${Object.keys(SOAKS).join(', ')}`);
  const misses = await soak(isNamed ? args.slice(1) : args);
  for (const miss of misses) console.log(`  - ${miss}`);
  console.log(misses.length === 0 ? 'everything holds' : `${misses.length} things do not hold`);
  process.exit(misses.length === 0 ? 0 : 1);
}

await main(process.argv.slice(2));

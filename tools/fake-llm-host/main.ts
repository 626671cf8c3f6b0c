import { parseArgs } from 'node:util';
import { type FakeLlmHostOptions, startFakeLlmHost } from './fake-llm-host.ts';
import { parseFault } from './fault.ts';

const USAGE = `usage: node tools/fake-llm-host/main.ts [--port 9090] [--host 127.0.0.1] [--name simulated]
  [--models simulated,other] [--ttft-ms 200] [--tokens-per-second 50] [--answer text] [--fault status:503]
Each may also come from the environment: SIMULATED_PORT, SIMULATED_TTFT_MS and so on; SIMULATED_API_KEY only from there.`;

const NAMES = ['port', 'host', 'name', 'models', 'ttft-ms', 'tokens-per-second', 'answer', 'fault'] as const;

function readOptions(env: NodeJS.ProcessEnv, args: string[]): FakeLlmHostOptions {
  const options = Object.fromEntries(NAMES.map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ args, options });
  const read = (name: (typeof NAMES)[number]) =>
    values[name] ?? (env[`SIMULATED_${name.toUpperCase().replaceAll('-', '_')}`] || undefined);
  const number = (name: (typeof NAMES)[number]) => {
    const text = read(name);
    if (text !== undefined && !/^\d+(\.\d+)?$/.test(text))
      throw new Error(`${name} must be a number, not "${text}"`);
    return text === undefined ? undefined : Number(text);
  };
  const fault = read('fault');
  return defined({
    port: number('port'),
    host: read('host'),
    name: read('name'),
    models: read('models')?.split(','),
    timeToFirstTokenMs: number('ttft-ms'),
    tokensPerSecond: number('tokens-per-second'),
    answer: read('answer'),
    apiKey: env['SIMULATED_API_KEY'] || undefined,
    // Of calls alone, as many as come: whoever waits for this program to be there asks for its models.
    fault: fault === undefined ? undefined : { ...parseFault(fault), times: Number.MAX_SAFE_INTEGER },
    recordLimit: 0,
  });
}

function defined(options: Record<string, unknown>): FakeLlmHostOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** As a log line like those of the services: text on a terminal, otherwise JSON. */
function announce(url: string): void {
  const msg = 'SIMULATED LLM host is listening: no model is behind its answers';
  const line = { level: 'warn', time: new Date().toISOString(), service: 'fake-llm-host', url, msg };
  console.log(process.stdout.isTTY ? `${msg} (${url})` : JSON.stringify(line));
}

try {
  const host = await startFakeLlmHost(readOptions(process.env, process.argv.slice(2)));
  const stop = () => void host.close().then(() => process.exit(0));
  process.on('SIGTERM', stop).on('SIGINT', stop);
  announce(host.url);
} catch (error) {
  console.error(
    `The simulated host cannot start: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`,
  );
  process.exit(1);
}

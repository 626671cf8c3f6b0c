import { join } from 'node:path';
import { prepareBundledModel } from '../bundled-model/prepare.ts';
import { runTool, UsageError } from '../command-line/run-tool.ts';
import { claimPort } from './claim-port.ts';
import { CommandFailed, runQuietly, showStep } from './command.ts';
import { planLaunch } from './launch-plan.ts';
import { EndedEarly } from './process-group.ts';
import { runServices } from './run-services.ts';

const ROOT = join(import.meta.dirname, '../..');
const NX = join(ROOT, 'node_modules/.bin/nx');
const USAGE = `usage: npm start
Settings are environment variables, as in LLM_HOSTS=gpu1=http://10.0.0.1:8000/v1 npm start; docs/configuration.md has all of them.`;

/** `npm start`: prepares, builds and runs everything until the signal or a failure ends it. */
async function start(env: NodeJS.ProcessEnv, stop: AbortSignal): Promise<void> {
  const plan = await planLaunch(env, claimPort);
  await Promise.all([
    plan.needsBundledModel ? showStep('Preparing the bundled model', prepareModel) : undefined,
    showStep('Building the services', () => build(stop)),
  ]);
  await runServices(plan, env, stop);
}

async function prepareModel(): Promise<void> {
  await prepareBundledModel({ log: () => undefined });
}

async function build(signal: AbortSignal): Promise<void> {
  await runQuietly(NX, ['run-many', '-t', 'build'], { signal });
}

async function main(args: readonly string[]): Promise<void> {
  if (args.length > 0) throw new UsageError(`npm start takes no arguments, and got ${args.join(' ')}`);
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort());
  try {
    await start(process.env, interrupt.signal);
  } catch (error) {
    if (interrupt.signal.aborted) {
      console.log('Stopped.');
    } else {
      if (error instanceof CommandFailed) console.error(error.output);
      const message = error instanceof Error ? error.message : String(error);
      console.error(error instanceof EndedEarly ? message : `Morgan could not start: ${message}`);
      process.exitCode = 1;
    }
  }
}

await runTool(USAGE, main);

import { once } from 'node:events';
import { join } from 'node:path';
import { prepareBundledModel } from '../bundled-model/prepare.ts';
import { banner } from './banner.ts';
import { claimPort } from './claim-port.ts';
import { CommandFailed, runQuietly, showStep } from './command.ts';
import { type LaunchPlan, planLaunch, type ServicePlan } from './launch-plan.ts';
import { EndedEarly, ProcessGroup } from './process-group.ts';
import { untilReady } from './readiness.ts';

const ROOT = join(import.meta.dirname, '../..');
const NX = join(ROOT, 'node_modules/.bin/nx');
const DEFAULT_GRACE_MS = 30_000;
// The services cut what is left when their grace period is over; this is for one that hangs even so.
const BEYOND_GRACE_MS = 5_000;

/** `npm start`: prepares, builds and runs everything until the signal or a failure ends it. */
async function start(env: NodeJS.ProcessEnv, stop: AbortSignal): Promise<void> {
  const plan = await planLaunch(env, claimPort);
  await Promise.all([
    plan.needsBundledModel ? showStep('Preparing the bundled model', prepareModel) : undefined,
    showStep('Building the services', () => build(stop)),
  ]);
  const group = new ProcessGroup();
  const ended = AbortSignal.any([stop, group.failed]);
  try {
    await showStep('Starting the services', () => launch(group, plan, env, ended));
    console.log(banner(plan, await firstModel(plan)));
    if (!ended.aborted) await once(ended, 'abort');
    ended.throwIfAborted();
  } finally {
    if (stop.aborted) console.log('Stopping ...');
    const killed = await group.stop(Number(env['SHUTDOWN_GRACE_MS'] || DEFAULT_GRACE_MS) + BEYOND_GRACE_MS);
    if (killed.length > 0)
      console.error(`${killed.join(' and ')} did not stop in time and had to be killed.`);
    process.exitCode = killed.length > 0 ? 1 : 0;
  }
}

async function prepareModel(): Promise<void> {
  await prepareBundledModel({ log: () => undefined });
}

async function build(signal: AbortSignal): Promise<void> {
  await runQuietly(NX, ['run-many', '-t', 'build'], { signal });
}

/** The gateway comes last: it looks for its hosts only now and then, so they had better be there. */
async function launch(
  group: ProcessGroup,
  { llm, embedding, simulated }: LaunchPlan,
  env: NodeJS.ProcessEnv,
  ended: AbortSignal,
): Promise<void> {
  const run = async (name: string, program: string, plan: ServicePlan, readyPath: string) => {
    group.start(name, join(ROOT, program), { ...env, ...plan.env });
    await untilReady(name, plan.origin + readyPath, ended);
  };
  await Promise.all([
    simulated && run('the simulated LLM host', 'tools/fake-llm-host/main.ts', simulated, '/v1/models'),
    run('embedding-service', 'dist/apps/embedding-service/main.js', embedding, '/readyz'),
  ]);
  await run('llm-service', 'dist/apps/llm-service/main.js', llm, '/readyz');
}

/** A model to show in the banner: the first that the gateway lists. */
async function firstModel({ llm, apiKey }: LaunchPlan): Promise<string> {
  try {
    const headers = { authorization: `Bearer ${apiKey ?? ''}` };
    const response = await fetch(`${llm.origin}/v1/models`, { headers });
    const { data } = (await response.json()) as { data?: { id: string }[] };
    return data?.[0]?.id ?? 'your-model';
  } catch {
    return 'your-model';
  }
}

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

import { once } from 'node:events';
import { join } from 'node:path';
import { ALLOCATOR_ENV } from './allocator-env.ts';
import { banner } from './banner.ts';
import { chatModel } from './chat-model.ts';
import { showStep } from './command.ts';
import type { LaunchPlan, ServicePlan } from './launch-plan.ts';
import { ProcessGroup } from './process-group.ts';
import { untilReady } from './readiness.ts';

const ROOT = join(import.meta.dirname, '../..');
const DEFAULT_GRACE_MS = 30_000;
// The services cut what is left when their grace period is over; this is for one that hangs even so.
const BEYOND_GRACE_MS = 5_000;

/**
 * Starts what has been built, prints how to use it, and stops everything when the signal or a failure ends it. Sets the
 * exit code to 1 where a process had to be killed.
 * @throws EndedEarly when a process ends by itself.
 */
export async function runServices(
  plan: LaunchPlan,
  env: NodeJS.ProcessEnv,
  stop: AbortSignal,
): Promise<void> {
  const group = new ProcessGroup();
  const ended = AbortSignal.any([stop, group.failed]);
  try {
    await showStep('Starting the services', () => launch(group, plan, env, ended));
    console.log(banner(plan, await chatModel(plan, ended)));
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

/** The gateway comes last: it looks for its hosts only now and then, so they had better be there. */
async function launch(
  group: ProcessGroup,
  { llm, embedding, simulated }: LaunchPlan,
  env: NodeJS.ProcessEnv,
  ended: AbortSignal,
): Promise<void> {
  const run = async (name: string, program: string, plan: ServicePlan, readyPath: string) => {
    group.start(name, join(ROOT, program), { ...ALLOCATOR_ENV, ...env, ...plan.env });
    await untilReady(name, plan.origin + readyPath, ended);
  };
  await Promise.all([
    simulated && run('the simulated LLM host', 'tools/fake-llm-host/main.ts', simulated, '/v1/models'),
    run('embedding-service', 'dist/apps/embedding-service/main.js', embedding, '/readyz'),
  ]);
  await run('llm-service', 'dist/apps/llm-service/main.js', llm, '/readyz');
}

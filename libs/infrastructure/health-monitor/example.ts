import { HealthMonitor } from './src/index.ts';

/** Any response below 500 will do: 401 and 404 come from a living host too. */
const modelsOf = (url: string) => async (signal: AbortSignal) => {
  const response = await fetch(`${url}/models`, { signal });
  await response.body?.cancel();
  if (response.status >= 500) throw new Error('host failed');
};

export async function watchHosts(gpu1: string, gpu2: string, say: (line: string) => void) {
  const monitor = new HealthMonitor({
    targets: { gpu1: modelsOf(gpu1), gpu2: modelsOf(gpu2) },
    failureThreshold: 2,
  });
  monitor.onChange(({ target, from, to, reason }) => say(`${target}: ${from} -> ${to}, ${reason}`));
  await monitor.start(); // every target has been checked once
  monitor.report('gpu1', { ok: true, durationMs: 850 }); // a live call went well
  await monitor.checkNow('gpu2'); // on demand, or joins the check that is running
  const { state, targets } = monitor.getStatus();
  say(`${state}, ${targets.length} targets, weight of gpu2: ${monitor.weightOf('gpu2')}`);
  monitor.stop();
  return monitor.indicator({ name: 'llm_hosts' }); // for HealthModule.register([...]) and /readyz
}

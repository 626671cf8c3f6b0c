import type { ServicePod } from './service-pod.ts';
import type { Settings } from './settings.ts';

type Environment = Readonly<Record<string, string>>;

/** What a process allows itself beyond its grace period to close what is left (`stop-service.ts` of http-server). */
const STOP_MARGIN_MS = 5_000;

/** The longest time that a process takes to end after SIGTERM, in milliseconds. */
export function stopMs(environment: Environment, settings: Settings): number {
  return graceMs(environment, settings) + STOP_MARGIN_MS;
}

/** When what happens to a pod that ends, in seconds; NaN for SIGTERM where no preStop hook sleeps before it. */
export function stopTimes({ pod, container, environment, image: { settings } }: ServicePod) {
  const [program, seconds] = container.lifecycle?.preStop?.exec?.command ?? [];
  const sigterm = program === 'sleep' ? Number(seconds) : Number.NaN;
  return {
    sigterm,
    drained: sigterm + settingMs('SHUTDOWN_MIN_DRAIN_MS', environment, settings) / 1000,
    cut: sigterm + graceMs(environment, settings) / 1000,
    exit: sigterm + stopMs(environment, settings) / 1000,
    killed: pod.terminationGracePeriodSeconds ?? 30,
  };
}

/** What is in flight may take the grace period, or the least drain where that is longer. */
function graceMs(environment: Environment, settings: Settings): number {
  return Math.max(
    settingMs('SHUTDOWN_GRACE_MS', environment, settings),
    settingMs('SHUTDOWN_MIN_DRAIN_MS', environment, settings),
  );
}

function settingMs(name: string, environment: Environment, settings: Settings): number {
  return Number(environment[name] ?? settings.get(name));
}

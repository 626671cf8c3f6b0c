import { CommandFailed, runQuietly } from '../start/command.ts';

/** How many checks were made: Jest's tests and the other steps, each of which counts as one. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** Runs one step and says how it went; what it wrote is shown only when it failed. Never rejects. */
export async function check(name: string, work: () => Promise<unknown>): Promise<Tally> {
  const startedAt = performance.now();
  const say = (result: string) =>
    console.log(`${result} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  console.log(`  ...  ${name}`);
  try {
    await work();
    say('  ok  ');
    return { passed: 1, failed: 0 };
  } catch (error) {
    if (error instanceof CommandFailed) console.log(error.output);
    say(`FAILED (${error instanceof Error ? error.message : String(error)})`);
    return { passed: 0, failed: 1 };
  }
}

/** A check that is one command. */
export function commandCheck(name: string, command: string, ...args: string[]): Promise<Tally> {
  return check(name, () => runQuietly(command, args));
}

export function sum(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((total, { passed }) => total + passed, 0),
    failed: tallies.reduce((total, { failed }) => total + failed, 0),
  };
}

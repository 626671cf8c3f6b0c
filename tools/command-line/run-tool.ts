/** A program was called with arguments that it does not take; how it is called is told with it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface Fault extends Error {
  readonly code?: unknown;
}

/**
 * Runs a program of the command line. `--help` and `-h` print how it is called, and nothing is run. Wrong arguments are told in one line
 * with that below it, what else its own code refuses in one line, all other faults with their stack. A fault ends the process with 1
 * at once, whatever still listens.
 * @param usage how it is called
 * @param main gets the arguments. Rejects with {@link UsageError}, or with what `parseArgs` throws, for wrong ones
 */
export async function runTool(
  usage: string,
  main: (args: readonly string[]) => Promise<void> | void,
): Promise<void> {
  const args = process.argv.slice(2);
  if (args.some((arg) => arg === '--help' || arg === '-h')) return console.log(usage);
  try {
    await main(args);
  } catch (error) {
    console.error(describe(error, usage));
    process.exit(1);
  }
}

function describe(error: unknown, usage: string): unknown {
  if (!(error instanceof Error)) return error;
  const { code, message } = error as Fault;
  const isUsage = error instanceof UsageError || String(code).startsWith('ERR_PARSE_ARGS');
  if (isUsage) return `${message}\n${usage}`;
  return error.constructor === Error ? message : error;
}

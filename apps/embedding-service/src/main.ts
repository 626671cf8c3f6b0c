export {};

// Before anything else is loaded: PID 1 of a container never gets a signal that it has no handler for.
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stop.abort(signal));
// Other services load their configuration again; here it must not end the process.
process.on('SIGHUP', () => undefined);

/** What this is built for and tested with; older ones fail somewhere in the midst of loading. */
const OLDEST_NODE = 24;
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `embedding-service needs Node ${OLDEST_NODE} or newer, and this is ${process.version}. Scripts of npm bring their own.\n`,
  );
  process.exit(1);
}

const { run } = await import('./run.ts');
await run(stop.signal);

export {};

// Before anything else is loaded: PID 1 of a container never gets a signal that it has no handler for.
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stop.abort(signal));
// Other services load their configuration again; here it must not end the process.
process.on('SIGHUP', () => undefined);

const { run } = await import('./run.ts');
await run(stop.signal);

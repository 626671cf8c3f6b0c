import { FileChangedError } from '../model/graph/mapped-files.ts';
import { readMemory } from './memory-reading.ts';
import type {
  LoadedProcess,
  MemoryReading,
  ProcessReply,
  ProcessRequest,
  ProcessTasks,
} from './process-protocol.ts';

// The entry of a model process. Node runs it from source in tests, so that its imports must be erasable TypeScript.
type LoadRequest = Extract<ProcessRequest, { type: 'load' }>;
type TaskRequest = Exclude<ProcessRequest, LoadRequest>;
type Result = ProcessTasks[keyof ProcessTasks]['result'];

/** What a process of one role can do once it has loaded. */
interface Role {
  readonly loaded: Omit<LoadedProcess, keyof MemoryReading>;
  perform(request: TaskRequest): Promise<Result>;
}

const post = (reply: ProcessReply) => process.send?.(reply, () => undefined);
/** What it holds while it is idle: V8 collects in full only while something is allocated. */
const readIdleMemory = () => {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  return readMemory();
};
let role: Role | undefined;

// A terminal sends Ctrl-C, and its own end, to every process of its group; the service decides when this one ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
// Nothing is left to do without the service. An exit in the regular way would run destructors of native code.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', (message) => {
  const request = message as ProcessRequest;
  void (request.type === 'load' ? load(request) : perform(request));
});

async function load({ role: name, options }: LoadRequest): Promise<void> {
  try {
    // Each role imports what it needs only: a tokenizer has no use for the runtime of the graph.
    role =
      name === 'tokenizer'
        ? await (await import('./tokenizer-role.ts')).TokenizerRole.load(options)
        : await (await import('./inference-role.ts')).InferenceRole.load(options);
    post({ type: 'loaded', loaded: { ...role.loaded, ...readMemory() } });
  } catch (error) {
    post({ type: 'load-failed', reason: reasonOf(error) });
    process.disconnect();
  }
}

async function perform(request: TaskRequest): Promise<void> {
  const { id } = request;
  try {
    if (!role) throw new Error('nothing is loaded');
    const result = request.type === 'memory' ? readIdleMemory() : await role.perform(request);
    post({ type: 'result', id, result });
  } catch (error) {
    const reason = reasonOf(error);
    if (!(error instanceof FileChangedError)) return void post({ type: 'task-failed', id, reason });
    // Another process finds out whether the files are still those that the first one has read.
    post({ type: 'giving-up', reason });
    process.disconnect();
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${reasonOf(error.cause)})` : error.message;
}

import { parentPort, workerData } from 'node:worker_threads';
import { EmbeddingEngine } from './embedding-engine.ts';
import type { WorkerMessage, WorkerOptions, WorkerRequest } from './worker-protocol.ts';

// The entry of an inference worker. Node runs it from source in tests, so that its imports must be erasable TypeScript.
const port = parentPort;
if (!port) throw new Error('inference.worker runs in a worker thread only');

const post = (message: WorkerMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

// A thread that is ended from outside while it is inside onnxruntime takes the whole process with it (abort, not exit);
// here it can only be between two runs.
port.on('message', ({ type }: WorkerRequest) => {
  if (type === 'stop') process.exit(0);
});

try {
  const engine = await EmbeddingEngine.load(workerData as WorkerOptions);
  port.on('message', (request: WorkerRequest) => {
    if (request.type === 'stop') return;
    const { id, items } = request;
    engine.run(items).then(
      (result) => post({ type: 'result', id, ...result }, [result.vectors.buffer]),
      (error: unknown) => post({ type: 'batch-failed', id, reason: reasonOf(error) }),
    );
  });
  post({ type: 'loaded', info: engine.info });
} catch (error) {
  post({ type: 'load-failed', reason: reasonOf(error) });
  port.close();
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${reasonOf(error.cause)})` : error.message;
}

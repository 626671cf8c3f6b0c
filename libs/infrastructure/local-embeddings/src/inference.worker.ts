import { parentPort, workerData } from 'node:worker_threads';
import { EmbeddingEngine } from './embedding-engine.ts';
import type { BatchRequest, WorkerMessage, WorkerOptions } from './worker-protocol.ts';

// The entry of an inference worker. Node runs it from source in tests, so that its imports must be erasable TypeScript.
const port = parentPort;
if (!port) throw new Error('inference.worker runs in a worker thread only');

const post = (message: WorkerMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

try {
  const engine = await EmbeddingEngine.load(workerData as WorkerOptions, (file, loadedBytes, totalBytes) =>
    post({ type: 'progress', file, loadedBytes, totalBytes }),
  );
  port.on('message', ({ id, items }: BatchRequest) => {
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

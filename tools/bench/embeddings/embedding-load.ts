import { WireConnection } from '../gateway/wire-connection.ts';
import { processorSeconds } from '@morgan/testing';

/** A server of embeddings. */
interface EmbeddingServer {
  readonly origin: string;
  readonly pid: number;
}

/** How texts are sent: by so many clients at once, each so many in a request. */
export interface LoadShape {
  readonly clients: number;
  readonly textsPerRequest: number;
}

/** What a server has done with all of its texts. */
interface LoadFigures {
  readonly textsPerCpuSecond: number;
  /** Of the requests. */
  readonly timesMs: readonly number[];
}

/** Sends every text once and compares them with the processor time that the server and its processes took for them. */
export async function sendAll(
  server: EmbeddingServer,
  texts: readonly string[],
  { clients, textsPerRequest }: LoadShape,
): Promise<LoadFigures> {
  const requests = requestsOf(server.origin, texts, textsPerRequest);
  const connections = await Promise.all(
    Array.from({ length: clients }, () => WireConnection.to({ origin: server.origin, headers: {} })),
  );
  const timesMs: number[] = [];
  const before = await processorSeconds(server.pid);
  await Promise.all(
    connections.map(async (connection) => {
      for (let request = requests.pop(); request; request = requests.pop()) {
        const begunAt = performance.now();
        await connection.send(request);
        timesMs.push(performance.now() - begunAt);
      }
      connection.close();
    }),
  );
  const seconds = (await processorSeconds(server.pid)) - before;
  return { textsPerCpuSecond: texts.length / seconds, timesMs };
}

function requestsOf(origin: string, texts: readonly string[], each: number): Buffer[] {
  const requests: Buffer[] = [];
  for (let at = 0; at < texts.length; at += each)
    requests.push(embeddingRequest(origin, texts.slice(at, at + each)));
  return requests;
}

/** A call of `POST /v1/embeddings` as it goes over the wire, asking for base64 as OpenAI's clients do. */
function embeddingRequest(origin: string, input: readonly string[]): Buffer {
  const body = JSON.stringify({ model: 'default', input, encoding_format: 'base64' });
  const head = [
    'POST /v1/embeddings HTTP/1.1',
    `host: ${new URL(origin).host}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

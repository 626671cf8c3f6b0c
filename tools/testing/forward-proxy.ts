import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { LocalServer } from './local-server.ts';

/** What a proxy does for a name: connects to this port of this machine, or refuses with a status that is no success. */
interface Way {
  readonly port?: number | undefined;
  readonly status?: number;
}

/** A forward proxy that notes what it is asked to connect to, and leads to servers of this machine only. */
export class ForwardProxy extends LocalServer {
  readonly asked: { readonly to: string; readonly credentials: string | undefined }[] = [];

  constructor(private readonly wayTo: (name: string) => Way) {
    super((_, response) => response.writeHead(405).end());
    this.server.on('connect', (request: IncomingMessage, socket: Socket) => this.#connect(request, socket));
  }

  #connect({ url = '', headers }: IncomingMessage, socket: Socket): void {
    this.asked.push({ to: url, credentials: headers['proxy-authorization'] });
    const { port, status = 200 } = this.wayTo(url.split(':', 1)[0] as string);
    socket.write(`HTTP/1.1 ${status} Whatever\r\n\r\n`);
    if (port === undefined) return void socket.end();
    const upstream = connect(port, '127.0.0.1');
    upstream.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    upstream.pipe(socket).pipe(upstream);
  }
}

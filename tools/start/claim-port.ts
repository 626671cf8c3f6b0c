import { createServer, type AddressInfo } from 'node:net';

/** An address that a service is going to listen on, and the variable with which the user would change the port. */
export interface PortWish {
  readonly host: string;
  /** 0 stands for any free one. */
  readonly port: number;
  readonly variable: string;
}

/** Makes sure that the port can be listened on and returns it. @throws Error with one sentence that says what to do. */
export async function claimPort({ host, port, variable }: PortWish): Promise<number> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
  } catch (error) {
    throw new Error(explain(error as NodeJS.ErrnoException, { host, port, variable }), { cause: error });
  }
  const claimed = (server.address() as AddressInfo).port;
  await new Promise((resolve) => server.close(resolve));
  return claimed;
}

function explain({ code, message }: NodeJS.ErrnoException, { host, port, variable }: PortWish): string {
  switch (code ?? '') {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use; choose another one with ${variable}.`;
    case 'EACCES':
      return `Port ${port} needs more privileges; choose another one with ${variable}.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}; choose another one with HOST.`;
    default:
      return `Port ${port} on ${host} cannot be used: ${message}; choose another one with ${variable}.`;
  }
}

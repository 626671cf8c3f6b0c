import { expect, it } from '@jest/globals';
import type { ResponseHandler } from '../response/response-handler.ts';
import { Exchange, type Outgoing } from './exchange.ts';

it('an exchange has no say over a connection that may serve another one by now', () => {
  const heard: string[] = [];
  const connection = {
    pause: () => heard.push('pause'),
    resume: () => heard.push('resume'),
    destroy: () => heard.push('destroy'),
  };
  const exchange = new Exchange({} as ResponseHandler, {} as Outgoing);
  const sayAll = () => {
    exchange.pause();
    exchange.resume();
    exchange.abort();
  };
  sayAll();
  exchange.begin(connection);
  sayAll();
  exchange.end();
  sayAll();
  expect(heard).toEqual(['pause', 'resume', 'destroy']);
});

import { expect, it } from '@jest/globals';
import { Listeners } from './listeners.ts';
import { type LogFields, silentLogger } from './logger.ts';

it('every listener hears of an event, and one that throws is logged', () => {
  const lines: [LogFields, string][] = [];
  const listeners = new Listeners<number>({
    ...silentLogger,
    error: (fields, line) => void lines.push([fields, line]),
  });
  const heard: number[] = [];
  const error = new Error('listener');
  const end = listeners.add(() => {
    throw error;
  });
  listeners.add((event) => heard.push(event));
  listeners.emit(1);
  end();
  listeners.emit(2);
  expect(heard).toEqual([1, 2]);
  expect(lines).toEqual([[{ error }, 'a listener failed']]);
});

it('an asynchronous listener that fails is logged, and does not end the process', async () => {
  const error = new Error('listener');
  const logged = Promise.withResolvers<LogFields>();
  const listeners = new Listeners<number>({ ...silentLogger, error: logged.resolve });
  const fail: unknown = () => Promise.reject(error);
  listeners.add(fail as () => void);
  listeners.emit(1);
  expect(await logged.promise).toEqual({ error });
});

it('everybody hears the same order, also of what a listener causes', () => {
  const listeners = new Listeners<string>();
  const heard: string[] = [];
  listeners.add((event) => {
    if (event === 'opened') listeners.emit('closed');
  });
  listeners.add((event) => heard.push(event));
  listeners.emit('opened');
  expect(heard).toEqual(['opened', 'closed']);
});

it('who subscribes anew while it hears an event hears the next one first', () => {
  const listeners = new Listeners<number>();
  const heard: number[] = [];
  const again = (event: number) => {
    heard.push(event);
    if (heard.length > 3) throw new Error('without an end');
    end();
    end = listeners.add(again);
  };
  let end = listeners.add(again);
  listeners.emit(1);
  listeners.emit(2);
  expect(heard).toEqual([1, 2]);
});

it('one function may listen twice, and the end of one subscription is not that of the other', () => {
  const listeners = new Listeners<number>();
  const heard: number[] = [];
  const listener = (event: number) => void heard.push(event);
  const end = listeners.add(listener);
  listeners.add(listener);
  listeners.emit(1);
  end();
  listeners.emit(2);
  expect(heard).toEqual([1, 1, 2]);
});

it('who has been unsubscribed by another listener hears nothing more', () => {
  const listeners = new Listeners<number>();
  const heard: number[] = [];
  listeners.add(() => end());
  const end = listeners.add((event) => heard.push(event));
  listeners.emit(1);
  expect(heard).toEqual([]);
});

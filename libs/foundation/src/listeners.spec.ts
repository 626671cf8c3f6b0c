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

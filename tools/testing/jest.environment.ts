import { constants, createContext } from 'node:vm';
import { ModernFakeTimers } from '@jest/fake-timers';
import { TestEnvironment } from 'jest-environment-node';
import { ModuleMocker } from 'jest-mock';

type Options = ConstructorParameters<typeof TestEnvironment>;
type Globals = InstanceType<typeof TestEnvironment>['global'];

/** A context has its own, but a test must see those of Node, which Node itself makes and checks for. */
const NODES_OWN: readonly PropertyKey[] = ['Buffer', 'ArrayBuffer', 'Uint8Array'];

/**
 * Jest's environment for Node, with an ordinary global object in place of a proxy behind interceptors. With the proxy each
 * reading of `Math` or `Number` takes about a microsecond, which makes simulations five times slower than they are.
 */
export default class PlainEnvironment extends TestEnvironment {
  constructor(...options: Options) {
    super(...options);
    const global = createContext(constants.DONT_CONTEXTIFY) as Globals;
    copyMissing(this.global, global);
    global.global = global;
    global.Error.stackTraceLimit = this.global.Error.stackTraceLimit;
    this.context = this.global = global;
    this.moduleMocker = new ModuleMocker(global);
    this.fakeTimersModern = new ModernFakeTimers({ config: options[0].projectConfig, global });
  }
}

function copyMissing(from: Globals, to: Globals): void {
  const present = new Set(Reflect.ownKeys(to));
  for (const key of Reflect.ownKeys(from)) {
    if (key === 'global' || (present.has(key) && !NODES_OWN.includes(key))) continue;
    const descriptor = Object.getOwnPropertyDescriptor(from, key) ?? {};
    Object.defineProperty(to, key, descriptor.get ? readOnce(from, key, descriptor) : descriptor);
  }
}

/** Node makes many of its globals when they are first read. */
function readOnce(from: Globals, key: PropertyKey, { enumerable = true }: PropertyDescriptor) {
  const settle = (target: object, value: unknown) =>
    Object.defineProperty(target, key, { configurable: true, enumerable, writable: true, value });
  return {
    configurable: true,
    enumerable,
    get(this: object) {
      const value: unknown = Reflect.get(from, key);
      settle(this, value);
      return value;
    },
    set(this: object, value: unknown) {
      settle(this, value);
    },
  };
}

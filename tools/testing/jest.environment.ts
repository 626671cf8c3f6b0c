import { ModernFakeTimers } from '@jest/fake-timers';
import { TestEnvironment } from 'jest-environment-node';
import { ModuleMocker } from 'jest-mock';

type Options = ConstructorParameters<typeof TestEnvironment>;

const FOUND = Object.getOwnPropertyDescriptors(globalThis);

/**
 * Jest itself runs in a realm of its own, the tests run in Node's (`jest.runtime.ts`). So fake timers and spies belong to
 * Node's realm, and `expect.any(String)` has to know its `String`.
 */
export default class NativeEnvironment extends TestEnvironment {
  constructor(...options: Options) {
    super(...options);
    for (const [name, descriptor] of Object.entries(FOUND)) {
      if (/^[A-Z]/.test(name) && descriptor.configurable)
        Object.defineProperty(this.global, name, descriptor);
    }
    this.moduleMocker = new ModuleMocker(globalThis);
    this.fakeTimersModern = new ModernFakeTimers({ config: options[0].projectConfig, global: globalThis });
  }

  /** The next spec of this worker has the same globals. A spy on a fake timer, restored late, leaves the fake one. */
  override async teardown(): Promise<void> {
    this.moduleMocker?.restoreAllMocks();
    await super.teardown();
    for (const [name, found] of Object.entries(FOUND)) {
      const left = Object.getOwnPropertyDescriptor(globalThis, name);
      if (found.writable && left?.value !== found.value) Object.defineProperty(globalThis, name, found);
    }
  }
}

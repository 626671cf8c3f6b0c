import { ModernFakeTimers } from '@jest/fake-timers';
import { TestEnvironment } from 'jest-environment-node';
import { ModuleMocker } from 'jest-mock';

type Options = ConstructorParameters<typeof TestEnvironment>;

const FOUND = Object.getOwnPropertyDescriptors(globalThis);

/** Tests run in Node's realm (`jest.runtime.ts`), not in one of their own: fake timers and spies belong to it. */
export default class NativeEnvironment extends TestEnvironment {
  constructor(...options: Options) {
    super(...options);
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

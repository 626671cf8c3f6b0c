import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from '@morgan/foundation';
import type { Drain } from './drain.ts';
import type { HttpConfig } from './http-server.config.ts';

/** A service that is built but does not listen yet. */
export interface ServiceParts {
  readonly app: NestFastifyApplication;
  readonly config: HttpConfig;
  readonly logger: Logger;
  readonly drain: Drain;
  /** Gets what the service needs: a model, hosts. The port is open meanwhile; a rejection ends the process. */
  readonly start: () => Promise<void>;
  /** Closes what the application stands on, after its last request. */
  readonly close: () => Promise<void>;
}

import type { Logger } from '@morgan/foundation';
import type { Metrics } from '@morgan/telemetry';
import type { Authenticator } from '../gate/authentication.hook.ts';
import type { BodyHook, GateHook } from '../gate/gate.ts';
import type { HttpConfig } from '../http-server.config.ts';
import { Admission } from '../admission/admission.ts';
import { bodyAdmission } from '../admission/body-admission.hook.ts';
import { type BodyFormat, PARSED_JSON } from './body-format.ts';
import { BodyMetrics } from './body-metrics.ts';
import { bodyParser } from './json-body.parser.ts';
import { StalledReaders } from './stalled-readers.ts';

/** What the bodies of requests and responses are handled with. */
interface BodyOptions {
  readonly config: HttpConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly bodies?: BodyFormat;
  /** Tells callers apart. */
  readonly authenticator: Pick<Authenticator, 'callers'>;
}

/** Everything between a body and memory: who may send one, how it is read, and who reads the response. */
interface Bodies {
  readonly admission: GateHook;
  readonly parser: BodyHook;
  readonly stalledReaders: StalledReaders;
}

/** What all bodies of an application share. */
export function createBodies({ config, logger, authenticator, ...options }: BodyOptions): Bodies {
  const { bodies, bodyLimitBytes: limitBytes } = config;
  const format = options.bodies ?? PARSED_JSON;
  const metrics = new BodyMetrics(options.metrics);
  const callers = () => authenticator.callers ?? 1;
  const admission = new Admission({ ...bodies, callers }, logger, metrics);
  metrics.watch(admission);
  return {
    admission: bodyAdmission(admission, { limitBytes, format }),
    parser: bodyParser({ format, limitBytes, config: bodies, logger, metrics }),
    stalledReaders: new StalledReaders(bodies.readStallTimeoutMs, logger, metrics),
  };
}

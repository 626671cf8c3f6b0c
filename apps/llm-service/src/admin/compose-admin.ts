import { Module } from '@nestjs/common';
import type { Logger } from '@morgan/foundation';
import { createHttpApplication, Drain, httpConfig } from '@morgan/http-server';
import { ApiKeys } from '@morgan/security';
import { Metrics, RequestLog } from '@morgan/telemetry';
import type { AdminConfig } from './admin.config.ts';
import { AdminController, AdminParts } from './admin.controller.ts';
import { LocalCallers } from './local-callers.ts';

/** Above the requests that people explain by hand. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

/** The admin API of a service. */
export interface Admin {
  /** @throws Error in words for the operator when the port cannot be had. */
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
}

@Module({})
class AdminModule {}

/** Builds the admin API on a port of its own, behind the same edge as the service's. Without a port there is none. */
export async function composeAdmin(
  { port, host, apiKey }: AdminConfig,
  parts: AdminParts,
): Promise<Admin | undefined> {
  if (port === undefined) return undefined;
  const { logger } = parts;
  const bodies = { bodyLimitBytes: BODY_LIMIT_BYTES, maxBodyBytes: 4 * BODY_LIMIT_BYTES };
  const app = await createHttpApplication(
    {
      module: AdminModule,
      controllers: [AdminController],
      providers: [{ provide: AdminParts, useValue: parts }],
    },
    {
      config: httpConfig({ port, ...bodies }).parse({ host, port }),
      logger,
      drain: new Drain(),
      observers: [new RequestLog(logger)],
      // Of the edge's metrics there is one set in a process: that of the service's own port.
      metrics: new Metrics(),
      authenticator: apiKey === undefined ? new LocalCallers() : new ApiKeys([apiKey]),
      pathHint: () => 'What there is stands at /docs.',
      api: {
        title: 'Morgan llm-service: admin',
        description: 'Hosts, routes and configuration, for operators.',
      },
    },
  );
  return {
    start: () => listen(app, { host, port }, logger),
    close: async () => {
      app.getHttpServer().closeAllConnections();
      await app.close();
    },
  };
}

async function listen(
  app: Awaited<ReturnType<typeof createHttpApplication>>,
  { host, port }: { readonly host: string; readonly port: number },
  logger: Logger,
): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`The admin API cannot listen on port ${port} of ${host} (${code}); see ADMIN_PORT.`, {
      cause,
    });
  }
  logger.info({ url: await app.getUrl() }, 'the admin API is listening');
}

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { AppError } from '@morgan/foundation';
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import { pathsOf, type PlainRoute } from './routes/plain-route.ts';

/** How a service introduces itself on `/docs`. */
export interface ApiDescription {
  readonly title: string;
  readonly description: string;
}

const PATH = '/docs';

/** What the page loads. Its package has 10 MB more: source maps, other bundles, its own manifest. */
const ASSETS: ReadonlySet<string> = new Set([
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'swagger-ui-standalone-preset.js',
  'favicon-16x16.png',
  'favicon-32x32.png',
]);

/** The page runs its own scripts only and talks to this service only. Its styles are partly inline. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves OpenAPI at `/docs` (page), `/docs/openapi.json` and `/docs/openapi.yaml`. */
export function serveApiDocumentation(
  app: NestFastifyApplication,
  api: ApiDescription,
  routes: readonly PlainRoute[],
): void {
  const document = new DocumentBuilder()
    .setTitle(api.title)
    .setDescription(api.description)
    .setVersion('1')
    .addBearerAuth()
    .addSecurityRequirements('bearer')
    .build();
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  fastify.addHook('onRoute', (route) => {
    if (route.url === PATH || route.url.startsWith(`${PATH}/`)) route.onRequest = guardPage;
  });
  const complete = () => {
    const controllers = SwaggerModule.createDocument(app, document);
    return { ...controllers, paths: { ...controllers.paths, ...pathsOf(routes) } };
  };
  SwaggerModule.setup('docs', app, complete, {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
  });
}

function guardPage(request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
  reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
  reply.header('x-content-type-options', 'nosniff');
  const { '*': asset } = request.params as { '*'?: string };
  if (asset === undefined || ASSETS.has(asset)) done();
  else done(new AppError('unknown_url', `Unknown request URL: ${request.method} ${request.url}.`));
}

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** How a service introduces itself on `/docs`. */
export interface ApiDescription {
  readonly title: string;
  readonly description: string;
}

/** Serves OpenAPI at `/docs` (page), `/docs/openapi.json` and `/docs/openapi.yaml`. */
export function serveApiDocumentation(app: NestFastifyApplication, api: ApiDescription): void {
  const document = new DocumentBuilder()
    .setTitle(api.title)
    .setDescription(api.description)
    .setVersion('1')
    .addBearerAuth()
    .addSecurityRequirements('bearer')
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, document), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
  });
}

import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags, type HttpReply, type HttpRequest } from '@morgan/http-server';
import { HostRelay } from '../relay/host-relay.ts';
import { embeddingSchema, schemaForDocs } from './openai.schemas.ts';
import { checkEmbedding } from './request-checks.ts';
import { RequestOutline } from './request-outline.ts';

/** Embeddings, forwarded to embedding-service, so that callers need one address only. */
@ApiTags('openai')
@Controller('v1')
export class EmbeddingsController {
  constructor(private readonly relay: HostRelay) {}

  @Post('embeddings')
  @ApiOperation({ summary: 'Vectors for texts, made by embedding-service.' })
  @ApiBody({ schema: schemaForDocs(embeddingSchema) })
  embed(
    @Body() outline: RequestOutline | undefined,
    @Req() request: HttpRequest,
    @Res() reply: HttpReply,
  ): Promise<void> {
    checkEmbedding(outline);
    return this.relay.toEmbeddings({ path: '/embeddings', outline }, request, reply);
  }
}

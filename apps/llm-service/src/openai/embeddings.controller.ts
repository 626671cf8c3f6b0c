import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags, type HttpReply, type HttpRequest } from '@morgan/http-server';
import type { z } from 'zod';
import { HostRelay } from '../relay/host-relay.ts';
import { embeddingSchema } from './openai.schemas.ts';

/** Embeddings, forwarded to embedding-service, so that callers need one address only. */
@ApiTags('openai')
@Controller('v1')
export class EmbeddingsController {
  constructor(private readonly relay: HostRelay) {}

  @Post('embeddings')
  @ApiOperation({ summary: 'Vectors for texts, made by embedding-service.' })
  embed(
    @Body({ schema: embeddingSchema }) body: z.infer<typeof embeddingSchema>,
    @Req() request: HttpRequest,
    @Res() reply: HttpReply,
  ): Promise<void> {
    return this.relay.toEmbeddings({ path: '/embeddings', model: body.model }, request, reply);
  }
}

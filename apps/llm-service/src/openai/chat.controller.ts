import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags, type HttpReply, type HttpRequest } from '@morgan/http-server';
import type { z } from 'zod';
import { HostRelay } from '../relay/host-relay.ts';
import { chatCompletionSchema, completionSchema } from './openai.schemas.ts';

/** Chat and text completions, answered by one of the LLM hosts. */
@ApiTags('openai')
@Controller('v1')
export class ChatController {
  constructor(private readonly relay: HostRelay) {}

  @Post('chat/completions')
  @ApiOperation({ summary: 'Chat completion, as JSON or as a stream of server-sent events.' })
  chat(
    @Body({ schema: chatCompletionSchema }) body: z.infer<typeof chatCompletionSchema>,
    @Req() request: HttpRequest,
    @Res() reply: HttpReply,
  ): Promise<void> {
    return this.relay.toLlm({ path: '/chat/completions', model: body.model }, request, reply);
  }

  @Post('completions')
  @ApiOperation({ summary: 'Text completion, as JSON or as a stream of server-sent events.' })
  complete(
    @Body({ schema: completionSchema }) body: z.infer<typeof completionSchema>,
    @Req() request: HttpRequest,
    @Res() reply: HttpReply,
  ): Promise<void> {
    return this.relay.toLlm({ path: '/completions', model: body.model }, request, reply);
  }
}

import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags, type HttpReply, type HttpRequest } from '@morgan/http-server';
import { HostRelay } from '../relay/host-relay.ts';
import { chatCompletionSchema, completionSchema, schemaForDocs } from './openai.schemas.ts';
import { checkChatCompletion, checkCompletion } from './request-checks.ts';
import { RequestOutline } from './request-outline.ts';

/** Chat and text completions, answered by one of the LLM hosts. */
@ApiTags('openai')
@Controller('v1')
export class ChatController {
  constructor(private readonly relay: HostRelay) {}

  @Post('chat/completions')
  @ApiOperation({ summary: 'Chat completion, as JSON or as a stream of server-sent events.' })
  @ApiBody({ schema: schemaForDocs(chatCompletionSchema) })
  chat(
    @Body() outline: RequestOutline | undefined,
    @Req() request: HttpRequest,
    @Res() reply: HttpReply,
  ): Promise<void> {
    checkChatCompletion(outline);
    return this.relay.toLlm({ path: '/chat/completions', outline }, request, reply);
  }

  @Post('completions')
  @ApiOperation({ summary: 'Text completion, as JSON or as a stream of server-sent events.' })
  @ApiBody({ schema: schemaForDocs(completionSchema) })
  complete(
    @Body() outline: RequestOutline | undefined,
    @Req() request: HttpRequest,
    @Res() reply: HttpReply,
  ): Promise<void> {
    checkCompletion(outline);
    return this.relay.toLlm({ path: '/completions', outline }, request, reply);
  }
}

import type { Section } from './contract-page.ts';

const LIMITS = `| limit | setting (\`llmService.upstream\`) | of a route | header of the caller |
| --- | --- | --- | --- |
| connection | \`connectTimeoutMs\` | \`connectTimeoutMs\` | \`x-morgan-connect-ms\` |
| first content | \`firstByteTimeoutMs\` | \`firstByteTimeoutMs\` | \`x-morgan-first-content-ms\` |
| silence | \`streams.stallTimeoutMs\` | \`stallTimeoutMs\` | \`x-morgan-stall-ms\` |
| the whole | \`llmService.timeouts\` | \`totalTimeoutMs\` | \`x-morgan-deadline-ms\` |`;

/** What Morgan promises of streams: docs/streaming.md is made of it. */
export const STREAMING_CONTRACT: readonly Section[] = [
  {
    title: 'Limits',
    text: LIMITS,
    lines: [
      [
        'A header shortens its limit and never lengthens it; what is no whole number changes nothing.',
        'call-limits',
        'a limit of a route, which a caller can shorten and not lengthen',
      ],
      [
        'The limit of the whole call covers every host that is tried, and says nothing of any.',
        'call-limits',
        'ends the whole call, which says nothing of the host',
      ],
      [
        'The first content has its limit at each host; `firstTokenTimeoutMs` is when a second host is begun beside the first.',
        'learning',
        'is begun at a second host, and the first to begin is handed out',
      ],
    ],
  },
  {
    title: 'Before the first content',
    text: 'Content is text, reasoning, or a part of a tool call. A role, a ping, a comment, `message_start` and `response.created` are not.',
    lines: [
      [
        'Nothing of an answer is handed out before its first content, so that the call can still go to another host.',
        'evidence',
        '%s moves the call on to an equal host',
      ],
      [
        'The first content has a limit of its own, counted from the request. Comments and pings do not stop that clock.',
        'stream-relay',
        'is a fault that nobody has seen yet when the host %s',
      ],
      [
        'A stream that begins with an error, is no event stream (HTML, say), ends, breaks, or has an end marker and nothing else, is a fault of the host that no caller sees while another host can answer.',
        'stream-relay',
        'is a fault that nobody has seen yet when the host %s',
      ],
      [
        'What looks like an event stream is one, whatever type its host gives it, and compression that nobody asked for is undone.',
        'odd-answers',
        'as a stream that calls itself %s',
      ],
      [
        'An answer that is complete and has no content (an empty text with a reason to stop) is an answer.',
        'stream-relay',
        'may be empty',
      ],
      [
        'A choice that ends with `error`, `network_error`, `abort` or `insufficient_system_resource` broke off, and so did one with an `error` of its own: that is a reported error.',
        'evidence',
        '%s moves the call on to an equal host',
      ],
      [
        'While a host is silent a comment leaves every 15 s (`llmService.streams.keepAliveMs`), so that load balancers do not cut the connection.',
        'stream-relay',
        'comments while the host is silent',
      ],
      [
        '`earlyKeepAliveMs` says after how long the first comment, and with it the status 200, leaves although no host has answered yet; a failure after that is told in the stream.',
        'stream-relay',
        'begins before a host has answered where a setting says so; a failure then is told in the stream',
      ],
    ],
  },
  {
    title: 'A whole answer',
    lines: [
      [
        'Events that need no change leave as the bytes that came.',
        'stream-relay',
        'leaves as the bytes that came',
      ],
      [
        'Events without data do not leave: official clients take them for JSON.',
        'stream-relay',
        'has no events without data',
      ],
      [
        'They leave in the turn of the loop in which they came.',
        'stream-relay',
        'hands each event out while the host goes on',
      ],
      [
        'It is complete when all its choices have a reason to stop. What happens behind that (an end without the marker, a cut, a reset, an error, silence) changes nothing: the end marker is supplied.',
        'stream-relay',
        'gets its end marker when the host %s behind the last choice',
      ],
      [
        'After silence that takes `finishTimeoutMs`; behind the event with token counts, which is the last by its nature, it takes no time.',
        'stream-relay',
        'gets its end marker soon when the host says nothing behind the last choice',
      ],
      [
        '`data: [DONE]` and `message_stop` come after a complete answer only. A response (`/v1/responses`) has no marker that could be supplied: its last event repeats the whole answer.',
        'streams',
        'says so in the words of each dialect',
      ],
      [
        'An event that cannot be read is dropped if the stream goes on, and counted.',
        'stream-relay',
        'drops an event that cannot be read, and counts it',
      ],
      [
        'Token counts are known of every stream whose host counts. The event that has nothing but counts comes last, and only to callers who asked for it.',
        'stream-relay',
        'keeps the event with token counts for callers who asked, and knows them anyway',
      ],
      [
        'They are asked for by `stream_options` in chat and text completions that have none.',
        'streams',
        'has its counts asked for, and shows them to callers who asked',
      ],
      [
        'A host that refuses this field by name is asked again without it, and never with it after that.',
        'streams',
        'is asked for without counts of a host that refuses to be asked',
      ],
    ],
  },
  {
    title: 'An interrupted answer',
    text: 'The host cuts or resets the connection, ends it before the answer is complete, falls silent for longer than the limit (comments are silence), sends an event larger than `maxEventBytes`, or reports an error; or the time of the call is over. Then:',
    lines: [
      [
        'The stream never ends like a whole one: no end marker, and the transfer is broken.',
        'stream-relay',
        'ends with an error event and broken when the host %s',
      ],
      [
        'Where framing alone would look clean, as in HTTP/1.0 and other bodies that last until the connection closes, the connection is reset.',
        'streams',
        'shows it to HTTP/1.0 by a reset',
      ],
      [
        `Before that comes one error event in the shape of the caller's dialect, which the official clients raise: \`data: {"error": …}\`; \`event: error\` with Anthropic's body; \`event: error\` with \`error\` and its place in the row for responses.`,
        'stream-relay',
        'tells the error with its place in the row of a response',
      ],
      [
        "Its code is `stream_interrupted`; its message is the host's own, if it reported an error, and else names the limit or the fault.",
        'stream-relay',
        'ends with an error event and broken when the host %s',
      ],
      [
        'It is evidence about the host that broke, also where another one finishes the answer.',
        'call-limits',
        'which failed where it %s',
      ],
      [
        'A body that ends cleanly, chunked or by a FIN, without its answer is `unfinished` and a fault like the others. That is the default.',
        'call-limits',
        'which failed where it %s',
      ],
      [
        "`streams.acceptUnfinished`, and a route's own, take it for an answer; then no end marker is supplied.",
        'call-limits',
        'which did well where a route accepts an answer without its end',
      ],
    ],
  },
  {
    title: 'Finished elsewhere',
    text: 'With `onInterrupt: resume`, the default, another host finishes the answer where only plain text and reasoning were sent. A route may say `error`.',
    lines: [
      [
        'It continues the text, where its capability `prefixContinuation` names how it is asked to: `vllm` (vLLM, SGLang), `prefix` (DeepSeek, Mistral), `prefill` (Anthropic, llama.cpp); a text completion by its prompt.',
        'continuation-request',
        'asks each kind of host in its way',
      ],
      [
        'The length that the caller allowed is shortened by what was sent.',
        'continuation-request',
        'leaves as much length as the caller allowed in all',
      ],
      [
        'Any other writes a second answer, whose text is consumed as far as it repeats what was sent.',
        'resume',
        'is started again where nobody continues it, and goes on where it broke off',
      ],
      [
        'If that says something else, ends earlier, or calls a tool instead, the stream ends with the error event.',
        'resume',
        'is an error when the second answer %s',
      ],
      [
        'There is no seam: one id, one role, one start, one row of indices. `model` tells the truth of each part.',
        'resume',
        'is continued elsewhere without a seam',
      ],
      [
        'In a message it is joined within the open block of text.',
        'resume',
        'is joined within its block of text, whatever the index of the second one',
      ],
      ['Reasoning is had of the first answer only.', 'resume', 'has its reasoning once'],
      [
        "The last counts are those of all attempts together; of one that broke off before it counted, each event with text is taken for a token, and its prompt for as long as the other's.",
        'resume',
        'is continued elsewhere without a seam',
      ],
      [
        'A comment in front of the end marker, `: x-morgan-attempts: 2`, tells it.',
        'resume',
        'is continued elsewhere without a seam',
      ],
      [
        'An answer that its host refuses in the middle for what was asked (a filter, a context that is too long) is not asked for elsewhere; its error is no fault of the host.',
        'resume',
        'is not asked for elsewhere where its host refuses the rest for what was asked',
      ],
      [
        'A refusal of the continuation is never seen.',
        'resume',
        'is started again when the host that should continue it fails, which nobody sees',
      ],
      ['An answer is taken up at most twice.', 'resume', 'is taken up twice at most'],
      [
        'Tool calls, refusals, further choices and structured output (`response_format`) are never joined.',
        'resume',
        'what cannot be joined',
      ],
      [
        "Responses (`/v1/responses`) are not resumed. Their last event repeats the whole answer with the ids of its items, counts and a signature of its own: the second host's would contradict what the caller has, and its `id` could not be asked for at either host.",
        'resume',
        'is an error: a response',
      ],
    ],
  },
  {
    title: 'Readers and bytes',
    lines: [
      [
        'A reader who stops costs the buffers of two sockets, and the host is held back; that is no silence of the host.',
        'stream-relay',
        'holds the host back, and its pause is no silence of the host',
      ],
      ['A reader who leaves frees the host at once.', 'stream-relay', 'that leaves frees the host'],
      [
        'Events are found wherever the body is cut, halves of characters included.',
        'sse-reader',
        'finds the same events wherever the body is cut, and loses no byte',
      ],
      [
        'LF, CRLF and CR end lines; a byte order mark, comments and lines of data that belong together are read as the standard has it.',
        'sse-reader',
        'reads every kind of line end',
      ],
      [
        'No more is kept than one event, which has a limit; an event of megabytes costs time in proportion to its size.',
        'sse-reader',
        'takes an event of 3 MB in small pieces, in a time that grows with its size only',
      ],
    ],
  },
];

import type { Section } from './contract-page.ts';
import { INTERRUPTED_STREAMS } from './interrupted-streams.ts';

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
        'A header shortens its limit and never lengthens it; a value that is no time changes nothing, and `x-morgan-ignored` names the header.',
        'call-limits',
        'a limit of a route, which a caller can shorten and not lengthen',
      ],
      [
        'The limit of the whole call covers every host that is tried; when it is reached, that counts against none of them.',
        'call-limits',
        'ends the whole call, which says nothing of the host',
      ],
      [
        'The limit of the first content holds for each host; after `firstTokenTimeoutMs` a second host is asked beside the first.',
        'slow-hosts',
        'is begun at a second host, and the first to begin is handed out',
      ],
    ],
  },
  {
    title: 'Before the first content',
    text: 'Content is text, reasoning, or a part of a tool call. A role, a ping, a comment, `message_start` and `response.created` are not, but the `response.created` of a response in the background is: the host goes on with it, whoever listens, and its id is in there.',
    lines: [
      [
        'Nothing of an answer is sent to the caller before its first content, so that the call can still go to another host.',
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
        'An answer that is complete and has no content (an empty text with a reason to stop) is an answer, but for one of which its host has counted no token, and a response that lists no output and has no count.',
        'stream-relay',
        'may be empty',
      ],
      [
        'A choice that ends with `error` or a word that ends so (`network_error`, `upstream_error`), with `abort`, `timeout`, `cancelled`, `failed` or `insufficient_system_resource` broke off, and so did one with an `error` of its own: that is a reported error.',
        'evidence',
        '%s moves the call on to an equal host',
      ],
      [
        'While a host is silent, the caller gets a comment every 15 s (`llmService.streams.keepAliveMs`), so that load balancers do not cut the connection.',
        'stream-relay',
        'comments while the host is silent',
      ],
      [
        'The comment has no blank line behind it where events have ids: openai-python would take that for an event without data.',
        'stream-relay',
        'comments without a blank line where events have ids, which some clients take for one more event',
      ],
      [
        'Callers of `/v1/messages` get a `ping` event instead: to their clients a comment is no sign of life.',
        'stream-relay',
        'pings callers of messages',
      ],
      [
        '`earlyKeepAliveMs` says after how long the first comment, and with it the status 200, is sent although no host has answered yet; a failure after that is an error event in the stream.',
        'stream-relay',
        'begins before a host has answered where a setting says so; a failure then is told in the stream',
      ],
    ],
  },
  {
    title: 'A whole answer',
    lines: [
      [
        'Events that need no change are passed on byte for byte.',
        'stream-relay',
        'leaves as the bytes that came',
      ],
      [
        'Events without data are not passed on, whatever other fields they have: official clients would parse them as JSON.',
        'stream-relay',
        'has no events without data',
      ],
      [
        'Each event is sent in the turn of the event loop in which it arrived.',
        'stream-relay',
        'hands each event out while the host goes on',
      ],
      [
        'It is complete when all its choices have a reason to stop. What happens behind that (an end without the marker, a cut, a reset, an error, silence) changes nothing: the end marker is supplied.',
        'stream-relay',
        'gets its end marker when the host %s behind the last choice',
      ],
      [
        'The end marker alone is an end as well, as some hosts name no reason, but not behind an event that tells in words of its own what went wrong: servers write it behind every stream.',
        'unreadable-events',
        'breaks with the words in front of it: %s',
      ],
      [
        'Where content follows a reason to stop, as some hosts send one with every event, only the end marker or a clean end of the body is an end.',
        'stream-relay',
        'may say of each of its events that it is the last %s',
      ],
      [
        'After silence it is supplied when `finishTimeoutMs` is over; behind the event with token counts, which is always the last, at once.',
        'stream-relay',
        'gets its end marker soon when the host says nothing behind the last choice',
      ],
      [
        '`data: [DONE]` and `message_stop` come after a complete answer only. A response (`/v1/responses`) has no marker that could be supplied: its last event repeats the whole answer.',
        'streams',
        'says so in the words of each dialect',
      ],
      [
        'An event that cannot be read is dropped if the stream goes on, and counted: in a metric, in the log line, and in a comment in front of the end marker, `: x-morgan-unreadable-events: 1`. No stream has more than 1,000 of them in a row.',
        'unreadable-events',
        'drops an event that cannot be read, and counts it: one %s',
      ],
      [
        'So is what is no event at all, such as the page of a proxy in the middle.',
        'unreadable-events',
        'has no page of a proxy in its middle',
      ],
      [
        'Events between which a host has left no blank line are passed on one by one.',
        'stream-relay',
        'loses none of the events that a host leaves no blank line between: %s',
      ],
      [
        '`NaN` and `Infinity`, which only parsers of Python read (an impossible token has such a `logprob`), are told as `null`.',
        'unreadable-events',
        'has null for a number that JSON has no word for',
      ],
      [
        'Control characters in a text, which some hosts do not escape, are told with their escapes.',
        'unreadable-events',
        'has the text of an event whose host does not escape control characters',
      ],
      [
        'Token counts are known of every stream whose host counts. The event that has nothing but counts comes last, and only to callers who asked for it.',
        'stream-relay',
        'keeps the event with token counts for callers who asked, and knows them anyway',
      ],
      [
        'In chat and text completions that do not ask for token counts, `stream_options` asks for them, beside what it says already.',
        'stream-shapes',
        'are asked for where %s, and told to whom they were',
      ],
      [
        'Where the caller did not ask for them, the `usage` of null that hosts then write at the end of each event is taken out.',
        'stream-shapes',
        'leave no trace in the events of a caller that did not ask for them',
      ],
      [
        'A host that refuses this field by name is asked again without it, and never with it after that.',
        'streams',
        'is asked for without counts of a host that refuses to be asked',
      ],
      [
        'If a host has given no counts by the end of its stream, each event with content counts as a token, and the prompt as long as it was estimated: so it counts against the limits of callers and hosts, also if the caller leaves.',
        'taken-up',
        'is its prompt as it was taken for, and a token for each event, where it %s',
      ],
      [
        'JSON in the place of a stream, whatever content type it has, is turned into a complete stream: clients would take it for an answer without text. So is a chat completion for a caller of `/v1/messages`.',
        'stream-shapes',
        'a whole answer of a host that does not stream is told as a stream',
      ],
      [
        'So is one within an event, as some hosts send it: clients look for a `delta` in each choice.',
        'event-form',
        'has the form of events where its host tells it, or its pieces, in that of a whole answer',
      ],
      [
        'So is one without a list of choices, which clients look for: it has an empty one, and a ping becomes a comment. Where calls of tools are an object, they are told as a list, and where their arguments are one, as a text.',
        'event-form',
        'has a list of choices in each event, if an empty one, %s',
      ],
      [
        'Where such an event repeats at the end what was told in pieces, its text is left out: clients would have all of it twice.',
        'event-form',
        'says once what its host says in pieces, and as a whole at their end%s',
      ],
      [
        'Streams of any other path (images, speech, transcripts, a response that a host keeps) are kept alive and break with an error event, too, also by a clean end without the last part of a transcript, of speech or of an image (`transcript.text.done`, `speech.audio.done`, `image_generation.completed`).',
        'stream-shapes',
        'breaks with %s where it breaks',
      ],
      [
        'JSON in the place of one of these is passed on as it is, with its type: many models have no stream of that kind, and their hosts say that they ignore the wish (OpenAI of `whisper-1`).',
        'other-answers',
        'JSON in the place of a stream is passed on as it is, where it is %s',
      ],
    ],
  },
  ...INTERRUPTED_STREAMS,
  {
    title: 'Readers and bytes',
    lines: [
      [
        'A caller who stops reading costs the buffers of two sockets: the host is slowed down by back-pressure, and its pause does not count as silence.',
        'stream-relay',
        'holds the host back, and its pause is no silence of the host',
      ],
      [
        'When a caller disconnects, the request to the host is cancelled at once.',
        'stream-relay',
        'that leaves frees the host',
      ],
      [
        'Events are found wherever the body is split into chunks, also within a character.',
        'sse-reader',
        'finds the same events wherever the body is cut, and loses no byte',
      ],
      [
        'LF, CRLF and CR end lines; comments and lines of data that belong together are read as the standard has it.',
        'sse-reader',
        'reads every kind of line end',
      ],
      [
        'A byte order mark is taken out: behind a comment of ours it would be a part of the first event.',
        'sse-reader',
        'skips a byte order mark at the start only',
      ],
      [
        'No more than one event is buffered, and its size is limited; an event of megabytes costs time in proportion to its size.',
        'sse-reader',
        'takes an event of 3 MB in small pieces, in a time that grows with its size only',
      ],
    ],
  },
];

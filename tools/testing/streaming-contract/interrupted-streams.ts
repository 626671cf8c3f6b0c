import type { Section } from './contract-page.ts';

/** What becomes of a stream that breaks. */
export const INTERRUPTED_STREAMS: readonly Section[] = [
  {
    title: 'An interrupted answer',
    text: 'The host cuts or resets the connection, ends it before the answer is complete, falls silent for longer than the limit (comments are silence), sends an event larger than `maxEventBytes` or of more than 100,000 lists or objects, or reports an error; or the time of the call is over. Then:',
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
        'Between that event and the break a caller has a quarter of a second to read: bodies of `fetch` drop what their reader has not taken yet when they break, and clients would tell of neither the error nor the last of the text.',
        'client-stream',
        'breaks once its caller has had time to read that',
      ],
      [
        'A response (`/v1/responses`) of which its host says that it has failed gets `response.failed` behind that event, with all that it says of itself, and then ends whole, as with OpenAI: Codex reads its error there, and only where the transfer is whole.',
        'failed-response',
        'ends as one that has failed where its host says so: %s',
      ],
      [
        'Where the host does not say why in that event, it may in the next one, and until then nothing is told of either.',
        'failed-response',
        'is told once to have failed where its host does not say why, and %s',
      ],
      [
        'One that goes on in the background, or is asked for again, can be asked for from there: that its stream broke has no place of its own in the row, but that of the last event.',
        'failed-response',
        'takes no place in the row of a response that goes on: %s',
      ],
      [
        "Its code is `stream_interrupted`, and its message names the limit or the fault; of an error that the host reported, message, type and code are the host's own, where it has some.",
        'stream-relay',
        'ends with an error event and broken when the host %s',
      ],
      [
        'Where it is the time of the call that ends the answer, the code is `deadline_exceeded`.',
        'call-limits',
        'ends the whole call, which says nothing of the host',
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
        'One whose event with token counts, and nothing but those, is the last of it is whole: hosts count at the end, and some of them have neither a reason to stop nor a marker.',
        'unreadable-events',
        'is whole where its counts are the last of it, and its body ends cleanly',
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
        'What it repeats of the text that it goes on with is not said twice.',
        'resume',
        'is not said twice where who continues it repeats it %s',
      ],
      [
        'The length that the caller allowed is shortened by what was sent.',
        'continuation-request',
        'leaves as much length as the caller allowed in all',
      ],
      [
        'Where nothing is left of it, the other host is asked for one token, as none can be asked for nothing, and only its reason to stop is told.',
        'taken-up',
        'is no longer than it may be where all of its length was sent',
      ],
      [
        'Reasoning counts towards that length.',
        'taken-up',
        'may take what is left of the length, of which reasoning has its part',
      ],
      [
        'If the second host has nothing to add, the answer was complete.',
        'taken-up',
        'may be over: whoever continues it has nothing to say',
      ],
      [
        'A host without that capability writes a second answer, of which as much is left out as repeats what was sent.',
        'resume',
        'is started again where nobody continues it, and goes on where it broke off',
      ],
      [
        'White space at either end of a text makes no difference.',
        'resume',
        'is the same where a host leaves other white space around it',
      ],
      [
        'If that says something else, ends earlier, or calls a tool instead, the stream ends with the error event.',
        'resume',
        'is an error when the second answer %s',
      ],
      [
        'What the host said that broke off is told then, where it said why.',
        'resume',
        'tells what its host has said, where nobody can go on with it',
      ],
      [
        'The parts look like one answer: one id, one role, one start, indices that go on. `model` says which model wrote each part.',
        'resume',
        'is continued elsewhere without a seam',
      ],
      [
        'In a message it is joined within the open block of text.',
        'resume',
        'is joined within its block of text, whatever the index of the second one',
      ],
      [
        'That block ends where no more text comes, only a tool call or the end.',
        'resume',
        'has its block of text closed where the second one has no more text and %s',
      ],
      [
        'Where none is open, as behind a thought or between two blocks, the text that is new has a block of its own.',
        'resume-message',
        'is joined block by block %s',
      ],
      ['Reasoning is taken from the first answer only.', 'resume', 'has its reasoning once'],
      [
        'A thought of a message that broke off in its middle stays without a signature; the next turn, which sends it back, goes on all the same at a host that takes signed thoughts only: without it.',
        'half-thoughts',
        'goes on at a host that takes signed thoughts only',
      ],
      [
        "The last counts are those of all attempts together; of one that broke off before it counted, each event with content is taken for a token, and its prompt for as long as the other's.",
        'resume',
        'is continued elsewhere without a seam',
      ],
      [
        'A comment in front of the end marker, `: x-morgan-attempts: 2`, says how many attempts there were.',
        'resume',
        'is continued elsewhere without a seam',
      ],
      [
        'An answer that its host refuses in the middle for what was asked (a filter, a context that is too long) is not asked for elsewhere; its error is no fault of the host.',
        'resume',
        'is not asked for elsewhere where its host refuses the rest for what was asked',
      ],
      [
        'The caller never sees that a host refused to continue.',
        'resume',
        'is started again when the host that should continue it fails, which nobody sees',
      ],
      [
        'A host that refuses what another one has begun to answer speaks for itself only: the next is asked, after two no other.',
        'stream-resumption',
        'asks another host where one refuses what the first has begun: %s',
      ],
      [
        'JSON of a host that does not stream is as good as a stream here, too.',
        'taken-up',
        'is taken from a host that does not stream',
      ],
      ['An answer is taken up at most twice.', 'resume', 'is taken up twice at most'],
      [
        'Each such attempt is taken from the budget of further attempts: hosts whose streams break get no more load than hosts that refuse.',
        'taken-up',
        'comes out of the budget of further attempts, and of its first',
      ],
      [
        'Tool calls, refusals and structured output (`response_format`, `guided_json` and the like) are never joined, nor is a token with its `logprobs` cut in two.',
        'resume',
        'what cannot be joined',
      ],
      [
        'Neither are answers of several choices: the others would go on with the text of the first.',
        'taken-up',
        'has one choice: of several the others would go on with the text of the first',
      ],
      [
        'A message whose hosts have chat completions only is finished in the same way.',
        'taken-up',
        'is %s elsewhere, in the same blocks',
      ],
      [
        "So is one of a host with Anthropic's API where the others of its model speak chat completions only.",
        'mixed-hosts',
        'is %s by a host that knows chat completions only',
      ],
      [
        "Responses (`/v1/responses`) are not resumed. Their last event repeats the whole answer with the ids of its items, counts and a signature of its own: the second host's would contradict what the caller has, and its `id` could not be asked for at either host.",
        'resume',
        'is an error: a response',
      ],
    ],
  },
];

import { AppError, type JsonObject } from '@morgan/foundation';
import { describe, expect, it } from '@jest/globals';
import { parseExactly } from '../../json/exact-json.ts';
import { USUAL_HABITS } from './chat-habits.ts';
import { toChatRequest } from './chat-request.ts';

const HI = { role: 'user', content: 'Hi' };
const request = (rest: JsonObject = {}): JsonObject => ({
  model: 'm',
  max_tokens: 10,
  messages: [HI],
  ...rest,
});
const user = (...content: JsonObject[]) => request({ messages: [{ role: 'user', content }] });
const PDF = { type: 'base64', media_type: 'application/pdf', data: 'AA' };
const assistant = (...content: JsonObject[]) => request({ messages: [{ role: 'assistant', content }] });
const effortFrom = (effort: string) => ({ role: 'system', content: 'Go on.', output_config: { effort } });

function refusal(body: JsonObject): AppError {
  try {
    toChatRequest(body);
  } catch (error) {
    return error as AppError;
  }
  throw new Error('It was not refused.');
}

describe('toChatRequest', () => {
  it('carries the plain fields over', () => {
    const body = request({
      temperature: 0.5,
      top_p: 0.9,
      top_k: 4,
      stop_sequences: ['END'],
      metadata: { user_id: 'u' },
    });
    expect(toChatRequest(body)).toEqual({
      model: 'm',
      max_tokens: 10,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 4,
      stop: ['END'],
      user: 'u',
      messages: [{ role: 'user', content: 'Hi' }],
    });
  });

  it('asks for a stream, and leaves asking for its counts to whoever knows the host', () => {
    expect(toChatRequest(request({ stream: true }))).toEqual({ ...toChatRequest(request()), stream: true });
    expect(toChatRequest(request({ stream: false }))).not.toHaveProperty('stream');
  });

  it.each<[string, unknown, unknown]>([
    ['a text', 'Be kind.', 'Be kind.'],
    [
      'blocks',
      [
        { type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } },
        { type: 'text', text: 'Be brief.' },
      ],
      'Be kind.\nBe brief.',
    ],
  ])('puts the system prompt first: %s', (_, system, content) => {
    expect((toChatRequest(request({ system }))['messages'] as unknown[])[0]).toEqual({
      role: 'system',
      content,
    });
  });

  it.each([undefined, null, '', []])('has no system prompt where there is none: %j', (system) => {
    expect(toChatRequest(request({ system }))).toEqual(toChatRequest(request()));
  });

  it('has texts and images', () => {
    const body = user(
      { type: 'text', text: 'What is this?' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
      { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
    );
    expect(toChatRequest(body)['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        ],
      },
    ]);
  });

  it('has documents that are texts below what is said of them, and files', () => {
    const text = { type: 'text', media_type: 'text/plain', data: 'Once.' };
    const body = user(
      { type: 'document', source: text, title: 'Tale', context: 'By nobody.', citations: { enabled: false } },
      { type: 'document', source: PDF },
    );
    expect(toChatRequest(body)['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Tale\nBy nobody.\nOnce.' },
          { type: 'file', file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,AA' } },
        ],
      },
    ]);
  });

  it.each<[string, object, object]>([
    ['text/x-python', { title: 'a.py', context: 'Mine.' }, { type: 'text', text: 'a.py\nMine.\nÄ = 1' }],
    ['application/json', {}, { type: 'text', text: 'Ä = 1' }],
    [
      'application/msword',
      { title: 'a.doc' },
      { type: 'file', file: { filename: 'a.doc', file_data: 'data:application/msword;base64,w4QgPSAx' } },
    ],
    [
      'application/pdf',
      { title: 'a.b' },
      { type: 'file', file: { filename: 'a.b.pdf', file_data: 'data:application/pdf;base64,w4QgPSAx' } },
    ],
  ])('has a document in base64 as what it is: %s', (media, fields, part) => {
    const source = { type: 'base64', media_type: media, data: Buffer.from('Ä = 1').toString('base64') };
    const image = { type: 'image', source: { type: 'url', url: 'http://a/b' } };
    const { messages } = toChatRequest(user({ type: 'document', source, ...fields }, image)) as {
      messages: { content: object[] }[];
    };
    expect(messages[0]?.content[0]).toEqual(part);
  });

  it('has instructions where they came, or told by the user where they may only come first', () => {
    const system = (content: string) => ({ role: 'system', content });
    const image = { type: 'image', source: { type: 'url', url: 'http://a/b' } };
    const shown = { type: 'image_url', image_url: { url: 'http://a/b' } };
    const call = { type: 'tool_use', id: 't', name: 'f', input: {} };
    const messages = [
      system('One.'),
      { role: 'user', content: [image] },
      system('Two.'),
      { role: 'assistant', content: [call] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: '1' }] },
      system('Three.'),
      { role: 'user', content: 'Go on.' },
    ];
    const reminder = (text: string) => `<system-reminder>\n${text}\n</system-reminder>`;
    const said = (systemFirst: boolean) =>
      (
        toChatRequest(request({ system: 'Zero.', messages }), { ...USUAL_HABITS, systemFirst })[
          'messages'
        ] as JsonObject[]
      ).map(({ role, content }) => [role, content]);
    const rest = [
      ['assistant', null],
      ['tool', '1'],
    ];
    expect(said(false)).toEqual([
      ['system', 'Zero.'],
      ['system', 'One.'],
      ['user', [shown]],
      ['system', 'Two.'],
      ...rest,
      ['system', 'Three.'],
      ['user', 'Go on.'],
    ]);
    expect(said(true)).toEqual([
      ['system', 'Zero.\nOne.'],
      ['user', [shown, { type: 'text', text: reminder('Two.') }]],
      ...rest,
      ['user', `${reminder('Three.')}\nGo on.`],
    ]);
  });

  it.each(['x-anthropic-billing-header: cc_version=2.1; cch=1a2b3;\nBe kind.', 'Be kind.'])(
    'has no line of a client about itself, which changes with each request: %j',
    (system) => {
      expect(toChatRequest(request({ system }))).toEqual(toChatRequest(request({ system: 'Be kind.' })));
    },
  );

  it.each([
    [{ type: 'auto', disable_parallel_tool_use: true }, {}],
    [{ type: 'none' }, {}],
    [{ type: 'any' }, { tool_choice: 'required' }],
  ])('has no choice where there are no tools, unless one has to be called: %j', (choice, expected) => {
    const body = request({ tools: [], tool_choice: choice });
    expect(toChatRequest(body)).toEqual({ ...toChatRequest(request()), ...expected });
  });

  it('has tools, calls and results', () => {
    const body = request({
      tools: [{ name: 'f', description: 'd', input_schema: { type: 'object' }, cache_control: {} }],
      tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: true },
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 's' },
            { type: 'text', text: 'Let me see.' },
            { type: 'tool_use', id: 't1', name: 'f', input: { a: 1 } },
            { type: 'tool_use', id: 't2', name: 'f', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 't1',
              content: [
                { type: 'text', text: 'one' },
                { type: 'text', text: 'two' },
              ],
            },
            { type: 'tool_result', tool_use_id: 't2', content: 'no such file', is_error: true },
            { type: 'text', text: 'And now?' },
          ],
        },
      ],
    });
    const call = (id: string, text: string) => ({
      id,
      type: 'function',
      function: { name: 'f', arguments: text },
    });
    expect(toChatRequest(body)).toMatchObject({
      tools: [
        { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' } } },
      ],
      tool_choice: { type: 'function', function: { name: 'f' } },
      parallel_tool_calls: false,
      messages: [
        {
          role: 'assistant',
          content: 'Let me see.',
          reasoning_content: 'Hm.',
          tool_calls: [call('t1', '{"a":1}'), call('t2', '{}')],
        },
        { role: 'tool', tool_call_id: 't1', content: 'one\ntwo' },
        { role: 'tool', tool_call_id: 't2', content: 'Error: no such file' },
        { role: 'user', content: 'And now?' },
      ],
    });
  });

  it('has the images of results where chat completions take images', () => {
    const image = (data: string) => ({
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data },
    });
    const part = (data: string) => ({
      type: 'image_url',
      image_url: { url: `data:image/png;base64,${data}` },
    });
    const body = user(
      { type: 'text', text: 'And now?' },
      { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'a.png' }, image('AA')] },
      { type: 'tool_result', tool_use_id: 't2', content: [image('BB')] },
    );
    expect(toChatRequest(body)['messages']).toEqual([
      { role: 'tool', tool_call_id: 't1', content: 'a.png\n(The images of this result follow.)' },
      { role: 'tool', tool_call_id: 't2', content: '(The images of this result follow.)' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Images of the result of t1:' },
          part('AA'),
          { type: 'text', text: 'Images of the result of t2:' },
          part('BB'),
          { type: 'text', text: 'And now?' },
        ],
      },
    ]);
  });

  it.each<[string, JsonObject[], JsonObject]>([
    [
      'a thought alone, with the text that has to be there',
      [{ type: 'thinking', thinking: 'Hm.', signature: 's' }],
      { role: 'assistant', content: '', reasoning_content: 'Hm.' },
    ],
    [
      'nothing of a thought that only Anthropic can read',
      [
        { type: 'redacted_thinking', data: 'x' },
        { type: 'text', text: 'Hi' },
      ],
      { role: 'assistant', content: 'Hi' },
    ],
    ['an empty text', [{ type: 'text', text: '', citations: null }], { role: 'assistant', content: '' }],
    [
      'a call as Anthropic says that its model made it, and a number that no double holds',
      [
        {
          type: 'tool_use',
          id: 't1',
          name: 'f',
          input: parseExactly('{"id":2512292042121000001,"x":1.50}'),
          caller: { type: 'direct' },
        },
      ],
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          {
            id: 't1',
            type: 'function',
            function: { name: 'f', arguments: '{"id":2512292042121000001,"x":1.5}' },
          },
        ],
      },
    ],
  ])('has of an assistant %s', (_, content, message) => {
    expect(toChatRequest(assistant(...content))['messages']).toEqual([message]);
  });

  it('calls tools by names that OpenAI takes, the same each time', () => {
    const names = ['x'.repeat(64), `${'x'.repeat(64)}y`, `${'x'.repeat(64)}z`];
    const asked = names.map((name) => {
      const tool = { name, input_schema: {} };
      const content = [{ type: 'tool_use', id: 't', name, input: {} }];
      const choice = { tools: [tool], tool_choice: { type: 'tool', name } };
      return toChatRequest(request({ ...choice, messages: [{ role: 'assistant', content }] }));
    });
    const each = asked.map((body) => JSON.stringify(body).match(/"name":"[^"]*"/g) ?? []);
    for (const found of each) expect([found.length, new Set(found).size]).toEqual([3, 1]);
    const sent = each.map(([name = '']) => name.slice(8, -1));
    expect(sent.map(({ length }) => length)).toEqual([64, 64, 64]);
    expect([sent[0], new Set(sent).size]).toEqual([names[0], 3]);
  });

  it('bounds the answer by whichever field its model knows', () => {
    const { max_tokens: length, ...rest } = toChatRequest(request());
    const habits = { ...USUAL_HABITS, lengthField: 'max_completion_tokens' as const };
    expect(toChatRequest(request(), habits)).toEqual({
      ...rest,
      max_completion_tokens: length,
    });
  });

  it('has no empty list to stop at, which hosts refuse', () => {
    expect(toChatRequest(request({ stop_sequences: [] }))).toEqual(toChatRequest(request()));
  });

  it('has the id of a user that is longer than OpenAI takes as its hash, and always the same', () => {
    const [id, hash] = ['u'.repeat(65), /^[0-9a-f]{64}$/];
    const [one, other] = [1, 2].map(() => toChatRequest(request({ metadata: { user_id: id } })));
    expect(one).toMatchObject({ user: expect.stringMatching(hash) });
    expect(other).toEqual(one);
    expect(toChatRequest(request({ metadata: { user_id: 'u'.repeat(64) } }))['user']).toBe('u'.repeat(64));
  });

  it.each<[JsonObject, unknown]>([
    [{ type: 'auto' }, 'auto'],
    [{ type: 'any' }, 'required'],
    [{ type: 'none' }, 'none'],
  ])('has the choice %j', (choice, expected) => {
    const body = request({ tools: [{ name: 'f' }], tool_choice: choice });
    expect(toChatRequest(body)['tool_choice']).toEqual(expected);
  });

  it.each<[JsonObject, unknown]>([
    [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, 'low'],
    [{ thinking: { type: 'enabled', budget_tokens: 8000 } }, 'medium'],
    [{ thinking: { type: 'enabled', budget_tokens: 32000 } }, 'high'],
    [{ thinking: { type: 'disabled' } }, undefined],
    [{ thinking: { type: 'between_tools' } }, undefined],
    [{ thinking: { type: 'adaptive', display: 'summarized' } }, undefined],
    [{ thinking: { type: 'adaptive', display: 'updates' } }, undefined],
    [{ output_config: { effort: 'max' } }, 'high'],
    // Claude Code says it there, too: it is that of a turn.
    [{ output_config: { effort: 'low' }, messages: [HI, effortFrom('high')] }, 'high'],
    [{ output_config: { effort: 'low' }, messages: [HI, effortFrom('high'), HI] }, 'low'],
  ])('has thinking %j', (fields, effort) => {
    expect(toChatRequest(request(fields))['reasoning_effort']).toBe(effort);
  });

  it('leaves out what changes no response', () => {
    const hints = {
      cache_control: { type: 'ephemeral' },
      context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
      diagnostics: { previous_message_id: 'msg_1' },
      fallbacks: [{ model: 'n' }],
    };
    const tool = { name: 'f', input_schema: { type: 'object' } };
    expect(toChatRequest(request({ ...hints, tools: [{ ...tool, eager_input_streaming: true }] }))).toEqual(
      toChatRequest(request({ tools: [tool] })),
    );
  });

  it('has nothing of fields that say nothing', () => {
    const names = ['temperature', 'top_k', 'stop_sequences', 'metadata', 'thinking', 'tools', 'tool_choice'];
    const nulls = Object.fromEntries([...names, 'context_management', 'system'].map((name) => [name, null]));
    const config = { output_config: { effort: null, format: null } };
    const empty = { mcp_servers: [], container: null };
    expect(toChatRequest(request({ ...nulls, ...config, ...empty }))).toEqual(toChatRequest(request()));
    const result = { type: 'tool_result', tool_use_id: 't', content: null, is_error: null };
    const call = { type: 'tool_use', id: 't', name: 'f', input: null };
    // Where an earlier answer is from says nothing to a model.
    const text = { type: 'text', text: 'Hi', citations: [{ type: 'web_search_result_location' }] };
    expect(toChatRequest(user(result))['messages']).toEqual([
      { role: 'tool', tool_call_id: 't', content: '' },
    ]);
    expect(toChatRequest(assistant(text, call))['messages']).toMatchObject([
      { content: 'Hi', tool_calls: [{ function: { arguments: '{}' } }] },
    ]);
  });

  it('declares a tool without arguments as OpenAI takes it, and one that only the model itself calls', () => {
    const nulls = { type: null, description: null, strict: null, input_examples: null };
    const tool = { ...nulls, name: 'f', allowed_callers: ['direct'] };
    const declared = (schema: JsonObject) =>
      toChatRequest(request({ tools: [{ ...tool, input_schema: schema }] }))['tools'];
    const named = (parameters: JsonObject) => [{ type: 'function', function: { name: 'f', parameters } }];
    expect(declared({ type: 'object' })).toEqual(named({ type: 'object', properties: {} }));
    const schema = { type: 'object', properties: { a: {} } };
    expect([declared(schema), declared({})]).toEqual([named(schema), named({})]);
  });

  it.each<[string, JsonObject]>([
    ['container', request({ container: 'c' })],
    ['mcp_servers', request({ mcp_servers: [{}] })],
    ['service_tier', request({ service_tier: 'priority' })],
    [
      'context_management.edits[1]',
      request({ context_management: { edits: [{ keep: 'all' }, { type: 'clear_tool_uses_20250919' }] } }),
    ],
    ['metadata.team', request({ metadata: { team: 'x' } })],
    ['thinking.display', request({ thinking: { type: 'adaptive', display: 'hologram' } })],
    [
      'messages[0].output_config.format',
      request({ messages: [{ role: 'system', output_config: { format: {} } }] }),
    ],
    ['output_format.type', request({ output_format: { type: 'grammar' } })],
    ...(
      [
        ['', { type: 'compact_20260112' }],
        ['.trigger', { type: 'clear_thinking_20251015', trigger: 1 }],
        ['.keep.type', { type: 'clear_thinking_20251015', keep: { type: 'words' } }],
      ] as const
    ).map<[string, JsonObject]>(([path, edit]) => [
      `context_management.edits[0]${path}`,
      request({ context_management: { edits: [edit] } }),
    ]),
    ['thinking.type', request({ thinking: { type: 'deep' } })],
    ['tools[0].type', request({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] })],
    ['tools[0].allowed_callers', request({ tools: [{ name: 'f', allowed_callers: ['x'] }] })],
    ['tool_choice.type', request({ tool_choice: { type: 'some' } })],
    ['output_config.format.type', request({ output_config: { format: { type: 'grammar' } } })],
    ['messages[0].role', request({ messages: [{ role: 'developer', content: 'x' }] })],
    ['messages[0].name', request({ messages: [{ role: 'user', content: 'x', name: 'n' }] })],
    ['messages[0].content[0].source', user({ type: 'document', source: { type: 'url', url: 'http://a/b' } })],
    ['messages[0].content[0].context', user({ type: 'document', source: PDF, context: 'x' })],
    [
      'messages[0].content[0].citations',
      user({ type: 'document', source: PDF, citations: { enabled: true } }),
    ],
    ['messages[0].content[0].source', user({ type: 'image', source: { type: 'file', file_id: 'f' } })],
    ['messages[0].content[0].citations', user({ type: 'text', text: 'x', citations: [{}] })],
    ['messages[0].content[0]', assistant({ type: 'server_tool_use', id: 'x' })],
    [
      'messages[0].content[0].content[0].source',
      user({ type: 'tool_result', tool_use_id: 't', content: [{ type: 'document', source: {} }] }),
    ],
    [
      'messages[0].content[0].content[0]',
      user({ type: 'tool_result', tool_use_id: 't', content: [{ type: 'container_upload', source: 'x' }] }),
    ],
    [
      'messages[0].content[0].content[0].source',
      user({ type: 'tool_result', tool_use_id: 't', content: [{ type: 'image', source: {} }] }),
    ],
    [
      'messages[0].content[0].caller',
      assistant({ type: 'tool_use', caller: { type: 'code_execution_20250825', tool_id: 'x' } }),
    ],
    ['system[0]', request({ system: [{ type: 'image' }] })],
  ])('refuses what cannot be carried over by its name: %s', (param, body) => {
    const { code, param: named, message } = refusal(body);
    expect({ code, named }).toEqual({ code: 'invalid_value', named: param });
    expect(message).toContain('cannot be carried over');
  });

  it.each<[string, JsonObject]>([
    ['messages', { model: 'm' }],
    ['messages', request({ messages: [] })],
    ['messages[0]', request({ messages: ['x'] })],
    ['messages[0].content', request({ messages: [{ role: 'user', content: 3 }] })],
    ['messages[0].content[0]', request({ messages: [{ role: 'user', content: ['x'] }] })],
    ['messages[0].content', user()],
    ['messages[0].content[0].text', user({ type: 'text', text: null })],
    ['messages[0].content[0].text', user({ type: 'text', text: 5 })],
    ['messages[0].content[0].thinking', assistant({ type: 'thinking', thinking: 5 })],
    ['messages[0].content[0].id', assistant({ type: 'tool_use', name: 'f', input: {} })],
    ['messages[0].content[0].name', assistant({ type: 'tool_use', id: 't', input: {} })],
    ['messages[0].content[0].input', assistant({ type: 'tool_use', id: 't', name: 'f', input: '{}' })],
    ['messages[0].content[0].tool_use_id', user({ type: 'tool_result', content: 'x' })],
    ['messages[0].content[0].is_error', user({ type: 'tool_result', tool_use_id: 't', is_error: 'true' })],
    ['stop_sequences', request({ stop_sequences: 'END' })],
    ['thinking', request({ thinking: 'on' })],
    ['metadata', request({ metadata: 'x' })],
    ['metadata.user_id', request({ metadata: { user_id: 5 } })],
    ['context_management', request({ context_management: 'x' })],
    ['context_management.edits', request({ context_management: { edits: {} } })],
    ['output_config', request({ output_config: 'x' })],
    ['output_config.effort', request({ output_config: { effort: 5 } })],
    ['output_config.format', request({ output_config: { format: 'json' } })],
    ['tools[0].name', request({ tools: [{ input_schema: {} }] })],
    ['tool_choice', request({ tools: [{ name: 'f' }], tool_choice: 'none' })],
    ['tool_choice.name', request({ tools: [{ name: 'f' }], tool_choice: { type: 'tool' } })],
    [
      'tool_choice.disable_parallel_tool_use',
      request({ tools: [{ name: 'f' }], tool_choice: { type: 'any', disable_parallel_tool_use: 'yes' } }),
    ],
    ['tools', request({ tools: 'x' })],
    ['tools[0]', request({ tools: ['x'] })],
    [
      'messages[0].content[0].source.media_type',
      user({ type: 'image', source: { type: 'base64', data: 'AA' } }),
    ],
    ['messages[0].content[0].source.url', user({ type: 'image', source: { type: 'url' } })],
    ['thinking.budget_tokens', request({ thinking: { type: 'enabled' } })],
  ])('refuses what is no such field: %s', (param, body) => {
    expect(refusal(body)).toMatchObject({ code: 'invalid_type', param });
  });
});

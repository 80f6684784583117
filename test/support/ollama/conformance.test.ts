import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AskOptions, get } from '../http.ts';
import { ROOT } from '../program.ts';
import { SMALL_MODEL, TestOllama } from './server.ts';
import { type Shape, shapeOf, shapeOfRecording } from './shape.ts';

const RECORDINGS = join(ROOT, '..', 'shared', 'wire', 'ollama');
const recorded = existsSync(RECORDINGS);
const model = { ...SMALL_MODEL, name: 'tiny', contextLength: 512, capabilities: ['completion'] };

let ollama: TestOllama;
beforeAll(async () => {
  ollama = await TestOllama.start({ models: [model] });
});
afterAll(() => ollama.stop());

async function said(path: string, body?: unknown): Promise<Shape> {
  const options: AskOptions =
    body === undefined ? {} : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) };
  const { status, statusText, rawHeaders, text } = await get(Number(new URL(ollama.url).port), path, options);
  return shapeOf({ status: `${status} ${statusText}`, headers: rawHeaders, body: text });
}

const user = (content: string) => [{ role: 'user', content }];
const long = user('word '.repeat(3000));
const chat = (more: object) => ['/api/chat', { model: 'tiny', messages: user('Once upon a time'), ...more }] as const;
const JSON_TYPE = 'application/json; charset=utf-8';
const SIZED = ['Content-Type', 'Date', 'Content-Length'];
const CHUNKED = ['Content-Type', 'Date', 'Transfer-Encoding'];
const MESSAGE = ['model', 'created_at', 'message', 'message.role', 'message.content'];
const DURATIONS = [
  'total_duration',
  'load_duration',
  'prompt_eval_count',
  'prompt_eval_duration',
  'eval_count',
  'eval_duration',
];
const DETAILS = ['parent_model', 'format', 'family', 'families', 'parameter_size', 'quantization_level'];
const inDetails = (keys: string[]) => ['models[].details', ...keys.map((key) => `models[].details.${key}`)];
const inModels = (keys: string[]) => keys.map((key) => `models[].${key}`);
const done = [...MESSAGE, 'done', 'done_reason', ...DURATIONS];

interface Case {
  readonly ask: readonly [path: string, body?: unknown];
  readonly status?: string;
  readonly type?: string;
  readonly headers?: readonly string[];
  /** Keys, in order, of each kind of line. */
  readonly lines: readonly (readonly string[])[];
  readonly doneReason?: string;
  readonly error?: string;
  readonly prepare?: () => void;
  /** The recorded machine had other parts; only the head is held against it. */
  readonly headOnly?: boolean;
}

const BAD = { status: '400 Bad Request', lines: [['error']] };
const CASES: Record<string, Case> = {
  version: { ask: ['/api/version'], lines: [['version']] },
  'ps-empty': { ask: ['/api/ps'], lines: [['models']] },
  tags: {
    ask: ['/api/tags'],
    lines: [
      [
        'models',
        ...inModels(['name', 'model', 'modified_at', 'size', 'digest']),
        ...inDetails([...DETAILS, 'context_length', 'embedding_length']),
        'models[].capabilities',
      ],
    ],
  },
  show: { ask: ['/api/show', { model: 'tiny' }], headers: CHUNKED, lines: [], headOnly: true },
  load: { ask: chat({ messages: [] }), lines: [[...MESSAGE, 'done', 'done_reason']], doneReason: 'load' },
  'ps-loaded': {
    ask: ['/api/ps'],
    lines: [
      [
        'models',
        ...inModels(['name', 'model', 'size', 'digest']),
        ...inDetails(DETAILS),
        ...inModels(['expires_at', 'size_vram', 'context_length']),
      ],
    ],
  },
  unload: {
    ask: chat({ messages: [], keep_alive: 0 }),
    lines: [[...MESSAGE, 'done', 'done_reason']],
    doneReason: 'unload',
  },
  'chat-nostream': { ask: chat({ stream: false, options: { num_predict: 2 } }), lines: [done], doneReason: 'length' },
  'chat-length': { ask: chat({ stream: false, options: { num_predict: 2 } }), lines: [done], doneReason: 'length' },
  'chat-schema': { ask: chat({ stream: false, format: { type: 'object' } }), lines: [done], doneReason: 'stop' },
  'chat-stream': {
    ask: chat({ options: { num_predict: 2 } }),
    type: 'application/x-ndjson',
    headers: CHUNKED,
    lines: [[...MESSAGE, 'done'], done],
    doneReason: 'length',
  },
  'long-default-truncate': {
    ask: chat({ stream: false, messages: long, options: { num_predict: 2, num_ctx: 512 } }),
    lines: [done],
    doneReason: 'length',
  },
  'err-context-truncate-false': {
    ask: chat({ stream: false, truncate: false, messages: long, options: { num_ctx: 512 } }),
    ...BAD,
    error:
      '{error: {code, message: "request (# tokens) exceeds the available context size (# tokens), try increasing it", type: "exceed_context_size_error", n_prompt_tokens, n_ctx}}',
  },
  'err-bad-json': { ask: ['/api/chat', '{"model":'], ...BAD, error: 'unexpected EOF' },
  'err-bad-format': {
    ask: chat({ format: { type: 'nonsense' }, stream: false }),
    ...BAD,
    error: `{error: {code, message: "Field 'json_schema': \\"json_schema\\": JSON schema conversion failed:\\nJSON schema error at #: unrecognized type nonsense", type: "invalid_request_error"}}`,
  },
  'err-missing-model': {
    ask: ['/api/chat', { model: 'nope', messages: long }],
    status: '404 Not Found',
    lines: [['error']],
    error: "model 'nope' not found",
  },
  'err-think': { ask: chat({ think: true }), ...BAD, error: '"tiny" does not support thinking' },
  'err-queue-full': {
    prepare: () => ollama.fault('busy', { times: 1 }),
    ask: chat({}),
    status: '503 Service Unavailable',
    lines: [['error']],
    error: 'server busy, please try again.  maximum pending requests exceeded',
  },
  'stream-runner-killed': {
    prepare: () => ollama.fault('crash-mid-stream', { times: 1, afterTokens: 1 }),
    ask: chat({}),
    type: 'application/x-ndjson',
    headers: CHUNKED,
    lines: [[...MESSAGE, 'done'], ['error']],
    error: 'an error was encountered while running the model: unexpected EOF',
  },
};

describe('says what an Ollama says', () => {
  test.each(Object.entries(CASES))('%s', async (name, one) => {
    one.prepare?.();
    const shape = await said(...one.ask);
    expect(shape).toMatchObject({
      status: one.status ?? '200 OK',
      type: one.type ?? JSON_TYPE,
      headers: one.headers ?? SIZED,
      doneReason: one.doneReason ?? null,
      error: one.error ?? null,
    });
    if (!one.headOnly) expect(shape.lines).toEqual(one.lines);
    if (!recorded) return;
    const recording = shapeOfRecording(readFileSync(join(RECORDINGS, `${name}.txt`), 'utf8'));
    if (one.headOnly) {
      const { status, type, headers } = shape;
      return expect(recording).toMatchObject({ status, type, headers });
    }
    // The recorded models have other names.
    const unnamed = { ...recording, error: recording.error?.replace('tiny-bigram', 'tiny') ?? null };
    expect(shape).toEqual(unnamed);
  });

  test.runIf(recorded)('every recording is held against it', async () => {
    const { readdirSync } = await import('node:fs');
    const names = readdirSync(RECORDINGS).map((file) => file.replace('.txt', ''));
    expect(Object.keys(CASES).sort()).toEqual(names.sort());
  });

  test('says where the recordings would be', ({ annotate }) =>
    annotate(
      recorded ? 'held against the recordings' : `no recordings at ${RECORDINGS}: held against expectations only`,
    ));
});

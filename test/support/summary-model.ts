import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerOf, type ChatRequest } from './summary-answers.ts';

export interface Chat {
  readonly user: string;
  readonly body: string;
  readonly promptTokens: number;
  ended: 'done' | 'aborted' | null;
}

export interface TestModel {
  readonly url: string;
  /** Settings that belong to it. */
  readonly env: Record<string, string>;
  /** Generations begun, in order. */
  readonly chats: Chat[];
  /** Generations under way at the same time at most. */
  most: number;
  /** Keeps generations from ending; what is held goes on when this is set to null. */
  hold: 'before-first-token' | 'mid-stream' | null;
  delayMs: number;
  /** As it counts them: a token is four bytes. */
  tokens(text: string): number;
  close(): Promise<void>;
}

const NAME = 'test-model:latest';
const DIGEST = 'a'.repeat(64);
const tokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 4);

/**
 * An Ollama whose generations a test holds and lets go one by one, and can look at. What goes wrong with a real one is in
 * `ollama/server.ts`.
 */
export async function startModel(): Promise<TestModel> {
  const chats: Chat[] = [];
  const state = { most: 0, hold: null as TestModel['hold'], delayMs: 0 };
  const server = createServer(async (request, response) => {
    const answered = META[request.url ?? ''];
    if (answered) return json(response, 200, answered);
    if (request.url !== '/api/chat') return json(response, 404, { error: 'not found' });
    const body = await text(request);
    const parsed = JSON.parse(body) as ChatRequest & { options: { num_ctx: number } };
    const user = parsed.messages.findLast(({ role }) => role === 'user')?.content ?? '';
    const promptTokens = tokens(parsed.messages.map(({ content }) => content).join('\n')) + 16;
    const chat: Chat = { user, body, promptTokens, ended: null };
    chats.push(chat);
    state.most = Math.max(state.most, chats.filter(({ ended }) => ended === null).length);
    response.once('close', () => {
      chat.ended ??= 'aborted';
    });
    if (promptTokens > parsed.options.num_ctx) return exceeded(response, promptTokens, parsed.options.num_ctx);
    await converse(response, chat, answerOf(parsed), model);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const model: TestModel = Object.assign(state, {
    url,
    env: { OLLAMA_MODEL: 'test-model' },
    chats,
    tokens,
    close: () =>
      new Promise<void>((resolve) => {
        state.hold = null;
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
  return model;
}

const META: Record<string, unknown> = {
  '/api/version': { version: '0.33.0' },
  '/api/tags': { models: [{ name: NAME, model: NAME, digest: DIGEST, size: 100 }] },
  '/api/ps': { models: [{ name: NAME, model: NAME, digest: DIGEST, size: 100, size_vram: 100, context_length: 8192 }] },
  '/api/show': { model_info: { 'general.architecture': 'llama', 'llama.context_length': 131_072 } },
};

async function converse(response: ServerResponse, chat: Chat, answer: string, model: TestModel): Promise<void> {
  if (model.delayMs > 0) await sleep(model.delayMs);
  while (model.hold === 'before-first-token' && !response.destroyed) await sleep(10);
  if (response.destroyed) return;
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const say = (content: string) =>
    response.write(`${JSON.stringify({ model: NAME, message: { role: 'assistant', content }, done: false })}\n`);
  const half = Math.ceil(answer.length / 2);
  say(answer.slice(0, half));
  while (model.hold === 'mid-stream' && !response.destroyed) await sleep(10);
  if (response.destroyed) return;
  say(answer.slice(half));
  chat.ended = 'done';
  const counts = { prompt_eval_count: chat.promptTokens, eval_count: tokens(answer) };
  const durations = { total_duration: 1e6, load_duration: 0, prompt_eval_duration: 5e5, eval_duration: 5e5 };
  const last = { done: true, done_reason: 'stop', ...counts, ...durations };
  response.end(`${JSON.stringify({ model: NAME, message: { role: 'assistant', content: '' }, ...last })}\n`);
}

function exceeded(response: ServerResponse, n_prompt_tokens: number, n_ctx: number): void {
  const error = { code: 400, message: 'too long', type: 'exceed_context_size_error', n_prompt_tokens, n_ctx };
  json(response, 400, { error: JSON.stringify({ error }) });
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { unknownType } from './answer.ts';
import { type ChatRequest, parseChat, said } from './chat-request.ts';
import type { Fault } from './faults.ts';
import { generate, type Speed } from './generation.ts';
import type { Machine } from './machine.ts';
import type { TestModel } from './model.ts';
import { pieces, promptTokens } from './tokens.ts';
import { readBody, sendError, sendJson, sendLoginPage, sendRunnerError, timestamp } from './wire.ts';

const CRASHED =
  'model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details';
const BUSY = 'server busy, please try again.  maximum pending requests exceeded';

/** Answers at once to what needs no model; false: the chat goes on. */
function refuse(res: ServerResponse, request: ChatRequest, model: TestModel | undefined, fault: Fault | null): boolean {
  if (fault?.name === 'html-login') sendLoginPage(res);
  else if (fault?.name === 'reset-before-headers') res.socket?.resetAndDestroy();
  else if (model === undefined || fault?.name === 'model-missing')
    sendError(res, 404, `model '${request.model}' not found`);
  else if (request.think && !model.capabilities.includes('thinking')) {
    sendError(res, 400, `"${request.model}" does not support thinking`);
  } else if (fault?.name === 'busy') sendError(res, 503, BUSY);
  else return false;
  return true;
}

/** What the runner refuses once it has the prompt; false: it generates. */
function runnerRefuses(
  res: ServerResponse,
  request: ChatRequest,
  at: { tokens: number; numCtx: number; fault: Fault | null },
): boolean {
  const { tokens, numCtx, fault } = at;
  const type = fault?.name === 'bad-format' ? 'nonsense' : unknownType(request.format);
  if (type !== null) {
    const message = `Field 'json_schema': "json_schema": JSON schema conversion failed:\nJSON schema error at #: unrecognized type ${type}`;
    sendRunnerError(res, { code: 400, message, type: 'invalid_request_error' });
  } else if (fault?.name === 'context-exceeded' || (!request.truncate && tokens >= numCtx)) {
    const message = `request (${tokens} tokens) exceeds the available context size (${numCtx} tokens), try increasing it`;
    const type = 'exceed_context_size_error';
    sendRunnerError(res, { code: 400, message, type, n_prompt_tokens: tokens, n_ctx: numCtx });
  } else if (fault?.name === 'crash') sendError(res, 500, CRASHED);
  else return false;
  return true;
}

function sendLoaded(res: ServerResponse, request: ChatRequest, reason: 'load' | 'unload'): void {
  const message = { role: 'assistant', content: '' };
  sendJson(res, 200, { model: request.model, created_at: timestamp(), message, done: true, done_reason: reason });
}

async function run(
  machine: Machine,
  model: TestModel,
  chat: { request: ChatRequest; res: ServerResponse; fault: Fault | null; signal: AbortSignal },
): Promise<void> {
  const { request, res, fault, signal } = chat;
  const { counts } = machine;
  const startedAt = performance.now();
  const { numCtx, loaded } = machine.load(model, request);
  const asked = promptTokens(request.messages);
  counts.maxNumCtx = Math.max(counts.maxNumCtx, numCtx);
  counts.minNumCtx = Math.min(counts.minNumCtx, numCtx);
  counts.maxPromptTokens = Math.max(counts.maxPromptTokens, asked);
  if (runnerRefuses(res, request, { tokens: asked, numCtx, fault })) return;
  // Cut in silence to about half of the context, as the default does.
  const tokens = asked < numCtx ? asked : Math.floor(numCtx / 2) + 3;
  const speed: Speed = { ...machine.speed(), loadMs: loaded ? machine.loadMs : 0 };
  const { model: name, seed, format: schema } = request;
  const text = machine.answer({
    model: name,
    system: said(request, 'system'),
    user: said(request, 'user'),
    schema,
    seed,
  });
  counts.started += 1;
  counts.promptTokens += tokens;
  const outcome = await generate({
    request,
    res,
    signal,
    fault,
    speed,
    promptTokens: tokens,
    numCtx,
    tokens: pieces(text),
    startedAt,
  });
  counts.completionTokens += outcome.completionTokens;
  counts[outcome.kind] += 1;
}

/** `POST /api/chat`. */
export async function chat(machine: Machine, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const left = new AbortController();
  res.once('close', () => left.abort());
  const request = parseChat(await readBody(req));
  if ('error' in request) return sendError(res, 400, request.error);
  const fault = machine.faults.take();
  const model = machine.find(request.model);
  if (refuse(res, request, model, fault) || model === undefined) return;
  if (request.messages.length === 0) {
    const unload = request.keepAlive === 0;
    if (unload) machine.unload(model);
    else machine.load(model, request);
    return sendLoaded(res, request, unload ? 'unload' : 'load');
  }
  if (!(await machine.slots.enter(left.signal))) {
    machine.counts.leftQueue += 1;
    return;
  }
  try {
    await run(machine, model, { request, res, fault, signal: left.signal });
  } finally {
    machine.slots.leave();
  }
}

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly stream: boolean;
  readonly format: unknown;
  readonly think: boolean;
  readonly truncate: boolean;
  readonly keepAlive: unknown;
  readonly numCtx: number | null;
  readonly numPredict: number;
  readonly seed: number | null;
}

const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};

/** A chat as Ollama understands it, or its 400. */
export function parseChat(body: string): ChatRequest | { readonly error: string } {
  let raw: Record<string, unknown>;
  try {
    raw = record(JSON.parse(body));
  } catch {
    return { error: body === '' ? 'missing request body' : 'unexpected EOF' };
  }
  if (typeof raw.model !== 'string' || raw.model === '') return { error: 'model is required' };
  const options = record(raw.options);
  const messages = Array.isArray(raw.messages) ? raw.messages.map(record) : [];
  return {
    model: raw.model,
    messages: messages.map(({ role, content }) => ({ role: String(role), content: String(content ?? '') })),
    stream: raw.stream !== false,
    format: raw.format ?? null,
    think: raw.think === true,
    truncate: raw.truncate !== false,
    keepAlive: raw.keep_alive,
    numCtx: typeof options.num_ctx === 'number' ? options.num_ctx : null,
    numPredict: typeof options.num_predict === 'number' ? options.num_predict : -1,
    seed: typeof options.seed === 'number' ? options.seed : null,
  };
}

/** The last message of each role is what the answer function sees. */
export function said(request: ChatRequest, role: string): string {
  return request.messages.findLast((message) => message.role === role)?.content ?? '';
}

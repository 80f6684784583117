/** The part of a chat request that shapes an answer. */
export interface ChatRequest {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly format?: unknown;
}

interface Line {
  readonly id: string;
  readonly text: string;
}

/** A model that does as it is told: it quotes the beginnings of the lines it was given and cites them. */
export function answerOf({ messages, format }: ChatRequest): string {
  const user = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const lines = linesOf(user);
  const properties = (format as { properties?: Record<string, { maxItems?: number }> } | undefined)?.properties ?? {};
  const asNotes = (most: number) => spread(lines, most).map(({ id, text }) => ({ text: sentence(text), ids: [id] }));
  if (properties.notes) return JSON.stringify({ notes: asNotes(properties.notes.maxItems ?? 1) });
  const points = asNotes(Math.min(3, properties.points?.maxItems ?? 1));
  return JSON.stringify({
    summary: points
      .map(({ text }) => text)
      .slice(0, 2)
      .join(' '),
    points,
  });
}

const linesOf = (user: string): Line[] =>
  [...user.matchAll(/^(c\d+)(?:,c\d+)*(?:>c\d+)?: (.+)$/gm)].map(([, id = '', text = '']) => ({ id, text }));

function spread(lines: readonly Line[], most: number): Line[] {
  const step = Math.max(1, Math.ceil(lines.length / Math.max(1, most)));
  return lines.filter((_, index) => index % step === 0).slice(0, most);
}

function sentence(text: string): string {
  const words = text
    .split(/\s+/)
    .slice(0, 12)
    .join(' ')
    .slice(0, 100)
    .replace(/[.!?,;:]+$/, '');
  return `${words}.`;
}

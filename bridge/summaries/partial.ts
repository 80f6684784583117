import { flawOf, type Input, same, sentences } from './policy/check/answer.ts';

const OPENING = /^\s*\{\s*"summary"\s*:\s*"/;

/** The characters of the answer's `summary` that have certainly arrived. */
function arrived(json: string): { readonly text: string; readonly closed: boolean } {
  const opening = OPENING.exec(json);
  if (opening === null) return { text: '', closed: false };
  const body = json.slice(opening[0].length);
  const end = /^(?:[^"\\]|\\(?:u[\da-fA-F]{4}|[^u]))*/.exec(body)?.[0] ?? '';
  try {
    const text: unknown = JSON.parse(`"${end}"`);
    return { text: typeof text === 'string' ? text : '', closed: body[end.length] === '"' };
  } catch {
    return { text: '', closed: false };
  }
}

export interface Hearer {
  readonly send: (delta: string) => void;
  /** Nothing is looked at before somebody listens; who begins late hears what has come until then. */
  readonly isHeard: () => boolean;
}

/** Passes on the summary's whole sentences as they come, each checked, up to the first that fails or is one too many. */
export function sentenceStream(input: Input, most: number, { send, isHeard }: Hearer): (delta: string) => void {
  let json = '';
  let sent = 0;
  const said = new Set<string>();
  let stopped = false;
  return (delta) => {
    if (stopped) return;
    json += delta;
    if (!isHeard()) return;
    const { text, closed } = arrived(json);
    const all = sentences(text.replaceAll('`', ''));
    const whole = closed ? all : all.slice(0, -1);
    for (const sentence of whole.slice(sent)) {
      stopped = sent >= most || said.has(same(sentence)) || flawOf(sentence, input) !== undefined;
      if (stopped) return;
      said.add(same(sentence));
      send(sent === 0 ? sentence : ` ${sentence}`);
      sent++;
    }
    stopped = closed;
  };
}

/** What two answers of the same kind have in common: not their values, but everything a client could depend on. */
export interface Shape {
  readonly status: string;
  readonly type: string;
  /** Names in their order. */
  readonly headers: readonly string[];
  /** Of each kind of line, in order of appearance: its keys in order, `a.b` within, `a[].b` within a list's first. */
  readonly lines: readonly (readonly string[])[];
  readonly doneReason: string | null;
  /** The error's text; JSON inside it as its keys and texts, digits in texts as `#`. */
  readonly error: string | null;
}

interface Raw {
  readonly status: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

function keys(value: unknown, prefix: string): string[] {
  if (Array.isArray(value)) return isRecord(value[0]) ? keys(value[0], `${prefix.slice(0, -1)}[].`) : [];
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [`${prefix}${key}`, ...keys(inner, `${prefix}${key}.`)]);
}

function describeError(value: unknown): string {
  if (isRecord(value)) {
    return `{${Object.entries(value)
      .map(([key, inner]) => (typeof inner === 'number' ? key : `${key}: ${describeError(inner)}`))
      .join(', ')}}`;
  }
  return JSON.stringify(typeof value === 'string' ? value.replace(/\d+/g, '#') : value);
}

const errorText = (error: string): string => (error.startsWith('{') ? describeError(JSON.parse(error)) : error);

export function shapeOf({ status, headers, body }: Raw): Shape {
  const lines = body
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): Record<string, unknown> => JSON.parse(line));
  const kinds = new Map(lines.map((line) => [keys(line, '').join(), keys(line, '')]));
  const reason = lines.find((line) => 'done_reason' in line)?.done_reason;
  const error = lines.find((line) => 'error' in line)?.error;
  return {
    status,
    type: headers.find(([name]) => name === 'Content-Type')?.[1] ?? '',
    headers: headers.map(([name]) => name),
    lines: [...kinds.values()],
    doneReason: typeof reason === 'string' ? reason : null,
    error: typeof error === 'string' ? errorText(error) : null,
  };
}

/** A recording: the command, the head as it came, a blank line, the body. */
export function shapeOfRecording(text: string): Shape {
  const [, statusLine = '', ...rest] = text.split(/\r?\n/);
  const blank = rest.indexOf('');
  const headers = rest.slice(0, blank).map((line): [string, string] => {
    const [name = '', value = ''] = line.split(/: (.*)/);
    return [name, value];
  });
  const body = rest.slice(blank + 1).join('\n');
  const isWhole = (() => {
    try {
      JSON.parse(body.split('\n')[0] ?? '');
      return true;
    } catch {
      return false;
    }
  })();
  // One recording is cut in its middle.
  return shapeOf({ status: statusLine.replace('HTTP/1.1 ', ''), headers, body: isWhole ? body : '' });
}

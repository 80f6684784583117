/** One JSON value and nothing else: no text around it, no key twice, no key that touches a prototype; undefined otherwise. */
export function strictJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return plainKeys(text) ? value : undefined;
  } catch {
    return undefined;
  }
}

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs;

/** Whether valid JSON has each key once. A string before a colon is a key. */
function plainKeys(text: string): boolean {
  const tokens = text.match(TOKEN) ?? [];
  const open: (Set<string> | null)[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token.startsWith('"') && tokens[index + 1] === ':') {
      const key: unknown = JSON.parse(token);
      const keys = open.at(-1);
      if (typeof key !== 'string' || FORBIDDEN.has(key) || keys?.has(key)) return false;
      keys?.add(key);
    }
  }
  return true;
}

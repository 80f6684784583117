/**
 * Structured-field dictionaries (RFC 9651 §4.2.2), as far as targeted cache control needs them: a field that does
 * not parse is refused whole, which is what makes `CDN-Cache-Control: max-age=60, &&&` fall back (RFC 9213 §2.1).
 * Members with values this field has no use for (inner lists, byte sequences, dates) parse and are kept as `other`.
 */
export type BareItem =
  | { type: 'integer' | 'decimal'; value: number }
  | { type: 'string' | 'token'; value: string }
  | { type: 'boolean'; value: boolean }
  | { type: 'other' };

const KEY = /[a-z*][a-z0-9_\-.*]*/y;
const NUMBER = /-?(?:\d{1,12}\.\d{1,3}|\d{1,15})/y;
const STRING = /"(?:[ !#-[\]-~]|\\["\\])*"/y;
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y;
const BOOLEAN = /\?[01]/y;
const OTHER = /:[A-Za-z0-9+/=]*:|@-?\d{1,15}|%"(?:[ !#-$&-~]|%[0-9a-f]{2})*"/y;
const SPACES = / */y;
const OWS = /[ \t]*/y;

class Cursor {
  readonly text: string;
  at = 0;
  constructor(text: string) {
    this.text = text;
  }
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (!match) return undefined;
    this.at += match[0].length;
    return match[0];
  }
  sees(character: string): boolean {
    return this.text[this.at] === character;
  }
  eat(character: string): boolean {
    if (!this.sees(character)) return false;
    this.at += 1;
    return true;
  }
  get done(): boolean {
    return this.at >= this.text.length;
  }
}

function bareItem(cursor: Cursor): BareItem | undefined {
  const boolean = cursor.take(BOOLEAN);
  if (boolean) return { type: 'boolean', value: boolean === '?1' };
  const number = cursor.take(NUMBER);
  if (number) return { type: number.includes('.') ? 'decimal' : 'integer', value: Number(number) };
  const string = cursor.take(STRING);
  if (string !== undefined) return { type: 'string', value: string.slice(1, -1).replace(/\\(.)/g, '$1') };
  const token = cursor.take(TOKEN);
  if (token) return { type: 'token', value: token };
  return cursor.take(OTHER) === undefined ? undefined : { type: 'other' };
}

function parameters(cursor: Cursor): boolean {
  while (cursor.eat(';')) {
    cursor.take(SPACES);
    if (cursor.take(KEY) === undefined) return false;
    if (cursor.eat('=') && bareItem(cursor) === undefined) return false;
  }
  return true;
}

function innerList(cursor: Cursor): BareItem | undefined {
  for (;;) {
    cursor.take(SPACES);
    if (cursor.eat(')')) return { type: 'other' };
    if (bareItem(cursor) === undefined || !parameters(cursor)) return undefined;
    // Items are parted by spaces: ("a""b") is no inner list (RFC 9651 §4.2.1.2).
    if (!cursor.sees(' ') && !cursor.sees(')')) return undefined;
  }
}

function memberValue(cursor: Cursor): BareItem | undefined {
  if (!cursor.eat('=')) return { type: 'boolean', value: true };
  return cursor.eat('(') ? innerList(cursor) : bareItem(cursor);
}

/** The dictionary's members, the last of equal keys winning, or undefined when the text is not a valid dictionary. */
export function parseDictionary(text: string): Map<string, BareItem> | undefined {
  const cursor = new Cursor(text.replace(/^ +| +$/g, ''));
  const members = new Map<string, BareItem>();
  while (!cursor.done) {
    const key = cursor.take(KEY);
    if (key === undefined) return undefined;
    const value = memberValue(cursor);
    if (value === undefined || !parameters(cursor)) return undefined;
    members.set(key, value);
    cursor.take(OWS);
    if (cursor.done) return members;
    if (!cursor.eat(',')) return undefined;
    cursor.take(OWS);
    if (cursor.done) return undefined;
  }
  return members;
}

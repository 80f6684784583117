/** Ollama ends a stream, with neither `done` nor an error, after 30 repetitions of a token. */
export const MAX_REPEATED = 30;

/** Counts identical tokens in a row, blanks around them aside. */
export class Repetition {
  private last = '';
  private run = 0;

  /** True once a token has come more than 30 times in a row. */
  add(token: string): boolean {
    const text = token.trim();
    this.run = text === this.last ? this.run + 1 : 1;
    this.last = text;
    return this.run > MAX_REPEATED;
  }

  /** Whether a stream that ended here was ended by Ollama's own guard: it keeps the last repetitions to itself. */
  get endedByGuard(): boolean {
    return this.run >= MAX_REPEATED - 2;
  }
}

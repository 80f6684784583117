/** Events worth a line in the log: one JSON object each, with names that stay. No request content, no secrets. */
export type Report = (event: string, details?: Readonly<Record<string, string | number | boolean | undefined>>) => void;

/** Log lines as JSON; identical events are written at most once a second, so that an outage does not flood the log. */
export function consoleReport(clock: () => number, write: (line: string) => void): Report {
  const last = new Map<string, number>();
  return (event, details = {}) => {
    const now = clock();
    if (now - (last.get(event) ?? Number.NEGATIVE_INFINITY) < 1000) return;
    last.set(event, now);
    write(JSON.stringify({ event, ...details }));
  };
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

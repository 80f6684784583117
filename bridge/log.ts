import { type Logger, pino } from 'pino';

export type { Logger };

/** Where a value must never be written, wherever it stands in a record. A second line of defence: nothing logs them by intent. */
const secrets = ['authorization', 'cookie', 'token', 'secret', 'password', 'apiToken', 'databaseUrl', 'signature'];

/** Structured logs, one JSON object a line, to standard output. */
export function createLogger(level: string, destination?: { write(line: string): void }): Logger {
  const options = {
    level,
    base: { service: 'bridge' },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
  };
  return destination ? pino(options, destination) : pino(options);
}

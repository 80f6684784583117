import type { SummaryEvents } from '../../shared/contract/summary.ts';

export interface EventSink {
  /** Sends an event; what is provisional is left out for a reader that does not keep up. */
  send<Name extends keyof SummaryEvents>(event: Name, data: SummaryEvents[Name]): void;
  /** Ends the stream. */
  close(): void;
}

export interface EventStreamOptions {
  /** Comments between events, so that no proxy takes silence for death. */
  readonly heartbeatMs: number;
  /** The reader has left. */
  readonly gone: () => void;
}

/** Bytes a slow reader may have waiting before provisional events are left out. */
const BUFFER_BYTES = 64 * 1024;

export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};

/** Server-sent events (WHATWG HTML, section 9.2): each with a name and one line of JSON. */
export function eventStream(start: (sink: EventSink) => void, options: EventStreamOptions): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let heart: NodeJS.Timeout | undefined;
  let open = true;
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        const write = (text: string) => {
          if (open) controller.enqueue(encoder.encode(text));
        };
        // Something at once: it takes the headers through every proxy on the way.
        write(': accepted\n\n');
        heart = setInterval(() => write(': heartbeat\n\n'), options.heartbeatMs);
        start({
          send: (event, data) => {
            const provisional = event === 'text' || event === 'progress';
            if (provisional && (controller.desiredSize ?? 0) <= 0) return;
            write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
          },
          close: () => {
            clearInterval(heart);
            if (open) controller.close();
            open = false;
          },
        });
      },
      cancel: () => {
        clearInterval(heart);
        open = false;
        options.gone();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES }),
  );
}

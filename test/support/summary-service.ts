import { rmSync } from 'node:fs';
import type { Database } from '../../bridge/store/database.ts';
import { openStore } from '../../bridge/store/open.ts';
import { extract } from '../../bridge/summaries/extractive/extract.ts';
import { extractiveSummary } from '../../bridge/summaries/maker.ts';
import type { Maker, ModelState, Queue, Waiter } from '../../bridge/summaries/parts.ts';
import { type Began, SummaryService } from '../../bridge/summaries/service.ts';
import { JobStore } from '../../bridge/summaries/store/jobs.ts';
import { Threads } from '../../bridge/summaries/store/threads.ts';
import type { Listen, Made } from '../../bridge/summaries/types.ts';
import type { Summary, SummaryInput, Thread } from '../../shared/contract/summary.ts';
import { SummaryOptions } from '../../shared/contract/summary.ts';
import { newDataDirectory } from './bridge.ts';

export interface Bench {
  readonly service: SummaryService;
  readonly threads: Threads;
  readonly database: Database;
  /** The model as the next requests find it. */
  model: ModelState;
  /** How the next generations go. */
  make: (assignment: Parameters<Maker['make']>[0], signal: AbortSignal, listen: Listen) => Promise<Made>;
  /** Generations begun. */
  begun: number;
  /** What was worked out ahead: the thread, and whether it was taken for a new one. */
  readonly foreseen: [string, boolean][];
  /** Errors of the store that were put up with. */
  readonly stumbles: Error[];
  full: boolean;
  ask(
    thread: Thread,
    options?: SummaryInput['options'],
    given?: { acceptedAt?: number; waiter?: Partial<Waiter> },
  ): Promise<Began>;
  /** Ends the store, as if it were lost. */
  lose(): Promise<void>;
  stop(): Promise<void>;
}

export const MODEL: ModelState = { kind: 'model', model: { name: 'test', digest: 'sha256:1', contextTokens: 8192 } };

/** A summary as a model would give it: all comments in one sentence, the first of them cited. */
export function made({ thread }: Parameters<Maker['make']>[0], given: Partial<Summary> = {}): Made {
  const ids = thread.comments.map(({ id }) => id);
  const summary: Summary = {
    ...extractiveSummary(() => ({ summary: '', points: [] }), {
      thread,
      options: SummaryOptions.parse({}),
      reason: '',
      now: Date.now(),
    }),
    summary: thread.comments.map(({ text }) => text).join(' '),
    points: [{ text: 'A point.', commentIds: ids.slice(0, 1) }],
    engine: 'model',
    model: 'test',
    coverage: { comments: ids.length, covered: ids.length, omitted: 0 },
    tokens: { prompt: 100, completion: 10 },
    ...given,
  };
  const { reason: _none, ...fresh } = summary;
  return { summary: given.reason === undefined ? fresh : summary, record: { version: 1, ids } };
}

/** The service on an embedded store, with a maker whose generations the test decides on and a queue without end, unless another is given. */
export async function startBench(queue?: Queue): Promise<Bench> {
  const dataDirectory = await newDataDirectory();
  const database = await openStore({ databaseUrl: null, dataDirectory }, () => {});
  const stumbles: Error[] = [];
  const withdrawing = { now: Date.now, newId: () => crypto.randomUUID(), redact: () => null, purged: () => {} };
  const threads = new Threads(database, withdrawing);
  const maker: Maker = {
    model: async () => bench.model,
    foresee: ({ id }, _options, _model, isNew) => {
      bench.foreseen.push([id, isNew]);
      if (id === 'unforeseeable') throw new Error('no opening');
    },
    key: (thread, options, model) => JSON.stringify([thread.comments, options.style, model.digest]),
    make: (assignment, _turn, signal, listen) => {
      bench.begun++;
      return bench.make(assignment, signal, listen);
    },
    extractive: (thread, options, reason) => extractiveSummary(extract, { thread, options, reason, now: Date.now() }),
  };
  const jobs = new JobStore(database, 'bench');
  const service = new SummaryService({
    ...{
      maker,
      queue: queue ?? endless(() => bench.full),
      threads,
      jobs,
      now: Date.now,
      answered: () => {},
      refused: () => {},
    },
    stumbled: (error) => void stumbles.push(error),
  });
  let closed = false;
  const bench: Bench = {
    ...{ service, threads, database, stumbles, model: MODEL, begun: 0, full: false, foreseen: [] },
    make: async (assignment) => made(assignment),
    ask: (thread, options = {}, { acceptedAt = Date.now(), waiter = {} } = {}) => {
      const parsed = SummaryOptions.parse(options);
      const deadlineAt = acceptedAt + (parsed.deadlineMs ?? 30_000);
      const listening = { signal: new AbortController().signal, listen: () => {}, ...waiter };
      return service.begin({ thread, options: parsed, caller: 'token:test', acceptedAt, deadlineAt }, listening);
    },
    lose: async () => {
      await database.close();
      closed = true;
    },
    stop: async () => {
      if (!closed) await database.close();
      closed = true;
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
  return bench;
}

/** Runs everything at once, each key once; stops what nobody waits for. */
function endless(isFull: () => boolean): Queue {
  const running = new Map<string, { result: Promise<unknown>; waiters: number; controller: AbortController }>();
  return {
    submit: (task, listen) => {
      if (isFull()) return { ok: false, reason: 'full', retryAfterMs: 1500 };
      let entry = running.get(task.key);
      if (!entry) {
        const controller = new AbortController();
        const result = task
          .run(controller.signal, listen, { deadlineAt: () => task.deadlineAt, isHeard: () => true })
          .finally(() => running.delete(task.key));
        entry = { result, waiters: 0, controller };
        running.set(task.key, entry);
      }
      const joined = entry;
      joined.waiters++;
      let left = false;
      const leave = () => {
        if (!left && --joined.waiters === 0) joined.controller.abort();
        left = true;
      };
      return { ok: true, result: joined.result as Promise<never>, leave };
    },
  };
}

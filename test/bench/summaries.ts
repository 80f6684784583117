import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Comment, Summary, SummaryInput, Thread } from '../../shared/contract/summary.ts';
import { BRIDGE_TOKEN, newDataDirectory } from '../support/bridge.ts';
import { startBridgeProcess } from '../support/bridge-process.ts';
import { post } from '../support/post.ts';
import { freePort } from '../support/process.ts';
import { startModel } from '../support/summary-model.ts';
import { comment, thread } from '../support/threads.ts';
import type { Goal, Outcome, Scenario } from './scenario.ts';
import { median, quantile, round } from './stats.ts';

/** A stand-in for Ollama. */
interface Standing {
  readonly url: string;
  readonly env: Record<string, string>;
  close(): Promise<void>;
}

/** A bridge in a process of its own, and a stand-in for Ollama. */
interface Stage<Model> {
  readonly model: Model;
  readonly pid: number;
  ask(of: Thread, options?: SummaryInput['options']): Promise<{ summary: Summary; ms: number }>;
}

async function onStage<T, Model extends Standing>(
  start: () => Promise<Model>,
  work: (stage: Stage<Model>) => Promise<T>,
): Promise<T> {
  const model = await start();
  const data = await newDataDirectory();
  const port = await freePort();
  const bridge = await startBridgeProcess(port, data, { OLLAMA_HOST: model.url, ...model.env });
  const agent = new Agent({ keepAlive: true });
  const ask: Stage<Model>['ask'] = async (of, options = {}) => {
    const body = JSON.stringify({ thread: of, options } satisfies SummaryInput);
    const authorization = `Bearer ${BRIDGE_TOKEN}`;
    const { status, text, ms } = await post(agent, `http://127.0.0.1:${port}/v1/summaries`, body, { authorization });
    if (status !== 200) throw new Error(`status ${status}: ${text}`);
    return { summary: JSON.parse(text) as Summary, ms };
  };
  try {
    const warm = await ask(thread('warm-up', 3));
    if (warm.summary.engine !== 'model') throw new Error(`the stand-in is not used: ${warm.summary.reason}`);
    return await work({ model, pid: bridge.process.pid ?? 0, ask });
  } finally {
    agent.destroy();
    await bridge.kill('SIGTERM');
    await model.close();
    rmSync(data, { recursive: true, force: true });
  }
}

interface Growth {
  readonly rows: { comments: number; spent: number; anew: number }[];
  readonly ratio: number;
  readonly anewRatio: number;
}

/** Sixty tokens, as the comments of a blog have on average. */
const LONG = 'What I mean by that is rather simple, and it follows from how the cache is asked: ';
function longer(number: number): Comment {
  const own = comment(number);
  return { ...own, text: `${own.text} ${LONG.repeat(3)}`.slice(0, 250) };
}

/** A thread that grows by ten comments at a time, beside summarising all of it each time. */
const growth = (): Promise<Growth> =>
  onStage(startModel, async ({ model, ask }) => {
    const rows: Growth['rows'] = [];
    let spent = 0;
    let anew = 0;
    let own = 0;
    for (let comments = 10; comments <= 500; comments += 10) {
      const grown = { id: 'grows', comments: Array.from({ length: comments }, (_, index) => longer(index + 1)) };
      const { summary } = await ask(grown, { deadlineMs: 120_000 });
      // A summary that leaves comments out is no bargain.
      if (summary.engine !== 'model' || summary.coverage.covered !== comments)
        throw new Error(
          `${comments} comments: ${summary.engine}, ${summary.reason}, ${JSON.stringify(summary.coverage)}`,
        );
      spent += summary.tokens.prompt;
      own = grown.comments.reduce((sum, { text }) => sum + model.tokens(text), 0);
      anew += own;
      rows.push({ comments, spent: round(spent / own, 2), anew: round(anew / own, 1) });
    }
    return { rows, ratio: spent / own, anewRatio: anew / own };
  });

interface Large {
  readonly summary: Summary;
  readonly seconds: number;
  readonly chats: number;
  readonly maxPrompt: number;
  readonly tokens: number;
  readonly grownMb: number;
}

/** 5,000 comments of sixty tokens against a context of 8,192. */
const large = (): Promise<Large> =>
  onStage(startModel, async ({ model, ask, pid }) => {
    const comments = Array.from({ length: 5000 }, (_, index) => longer(index + 1));
    const tokens = comments.reduce((sum, { text }) => sum + model.tokens(text), 0);
    const before = await residentMb(pid);
    let most = before;
    const watch = setInterval(() => void residentMb(pid).then((mb) => (most = Math.max(most, mb))), 100);
    const begun = model.chats.length;
    const { summary, ms } = await ask({ id: 'large', comments }, { priority: 'background', deadlineMs: 600_000 });
    clearInterval(watch);
    const chats = model.chats.slice(begun);
    const maxPrompt = Math.max(...chats.map(({ promptTokens }) => promptTokens));
    return { summary, seconds: ms / 1000, chats: chats.length, maxPrompt, tokens, grownMb: most - before };
  });

interface Speed {
  readonly cachedMs: number[];
  readonly freshMs: number[];
  readonly directMs: number[];
}

/** The stand-in in a process of its own, and the milliseconds of its last chat, sent again without a bridge in between. */
async function startApart(): Promise<Standing & { direct(): Promise<number> }> {
  const child = fork(fileURLToPath(new URL('ollama-host.ts', import.meta.url)));
  const told = async <T>(): Promise<T> =>
    (await once(child, 'message', { signal: AbortSignal.timeout(20_000) }))[0] as T;
  const { url, env } = await told<Pick<Standing, 'url' | 'env'>>();
  const agent = new Agent({ keepAlive: true });
  const direct = async () => {
    const answer = told<{ body: string }>();
    child.send('last');
    return (await post(agent, `${url}/api/chat`, (await answer).body)).ms;
  };
  const close = async () => {
    agent.destroy();
    child.disconnect();
    await once(child, 'exit', { signal: AbortSignal.timeout(20_000) });
  };
  return { url, env, direct, close };
}

/** The same answer again and again; then new threads, in turn with the same chat sent straight to the stand-in. */
const speed = (): Promise<Speed> =>
  onStage(startApart, async ({ model, ask }) => {
    const same = thread('same', 50);
    await ask(same);
    const cachedMs: number[] = [];
    for (let turn = 0; turn < 2000; turn++) cachedMs.push((await ask(same)).ms);
    const freshMs: number[] = [];
    const directMs: number[] = [];
    for (let turn = 0; turn < 1000; turn++) {
      freshMs.push((await ask(thread(`fresh-${turn}`, 10))).ms);
      directMs.push(await model.direct());
    }
    return { cachedMs: cachedMs.slice(1000), freshMs: freshMs.slice(400), directMs: directMs.slice(400) };
  });

interface Crowd {
  readonly generations: number;
  readonly late: number;
  readonly interactiveMs: number[];
  readonly backgroundMs: number[];
}

/** 1,000 requests at once for 50 threads, one slot, a tenth of a second a generation. */
const crowd = (): Promise<Crowd> =>
  onStage(startModel, async ({ model, ask }) => {
    model.delayMs = 100;
    const begun = model.chats.length;
    const deadlineMs = 60_000;
    const times = { interactive: [] as number[], background: [] as number[] };
    await Promise.all(
      Array.from({ length: 1000 }, async (_, index) => {
        const priority = index % 50 < 25 ? 'interactive' : 'background';
        const { summary, ms } = await ask(thread(`crowd-${index % 50}`, 10), { priority, deadlineMs });
        if (summary.engine === 'model') times[priority].push(ms);
      }),
    );
    const all = [...times.interactive, ...times.background];
    const late = 1000 - all.filter((ms) => ms <= deadlineMs).length;
    const generations = model.chats.length - begun;
    return { generations, late, interactiveMs: times.interactive, backgroundMs: times.background };
  });

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

/** Summaries by the bridge, with a stand-in for Ollama that answers at once: what is measured is the bridge, not a model. */
export const summaries: Scenario = async ({ note }) => {
  note('summaries: a growing thread');
  const grown = await growth();
  note('summaries: a large thread');
  const big = await large();
  note('summaries: single answers');
  const single = await speed();
  note('summaries: a crowd');
  const many = await crowd();
  return outcome(grown, big, single, many);
};

/** Milliseconds; `overhead`: what a new answer takes longer than the model itself. */
function mediansOf({ cachedMs, freshMs, directMs }: Speed) {
  const p50 = (times: readonly number[]): number => round(median([...times]), 2);
  const [fresh, direct] = [p50(freshMs), p50(directMs)];
  return { cached: p50(cachedMs), fresh, direct, overhead: round(fresh - direct, 2) };
}

function outcome(grown: Growth, big: Large, single: Speed, many: Crowd): Outcome {
  const { coverage } = big.summary;
  const shown = grown.rows.filter(({ comments }) => comments === 10 || comments % 100 === 0);
  const took = mediansOf(single);
  const p95 = (times: number[]): number => round(quantile(times, 0.95));
  const goal = (what: string, asked: string, measured: string, met: boolean): Goal => ({
    what,
    goal: asked,
    measured,
    met,
  });
  return {
    title: 'Comment summaries, a stand-in for Ollama on the other side',
    tables: [
      {
        head: ['thread grows to', 'prompt tokens spent / tokens of its comments', 'summarised anew each time'],
        rows: shown.map(({ comments, spent, anew }) => [`${comments} comments`, `${spent}x`, `${anew}x`]),
      },
      {
        head: ['5,000 comments', ''],
        rows: [
          ['tokens of the comments', big.tokens],
          ['generations', big.chats],
          ['largest prompt, tokens', big.maxPrompt],
          ['covered', `${coverage.covered} of ${coverage.comments}`],
          ['memory on top, MB', round(big.grownMb)],
          ['seconds', round(big.seconds, 1)],
        ],
      },
    ],
    goals: [
      goal('growing thread, tokens', 'at most 2.0x', `${round(grown.ratio, 2)}x`, grown.ratio <= 2),
      goal('largest prompt', 'at most 8,192 tokens', `${big.maxPrompt}`, big.maxPrompt <= 8192),
      goal(
        'coverage',
        'all or said',
        `${coverage.covered} + ${coverage.omitted}`,
        coverage.covered + coverage.omitted === 5000,
      ),
      goal('memory on top', 'under 150 MB', `${round(big.grownMb)} MB`, big.grownMb < 150),
      goal('cached answer, p50', 'under 3 ms', `${took.cached} ms`, took.cached < 3),
      goal('over asking Ollama directly, p50', 'under 5 ms', `${took.overhead} ms`, took.overhead < 5),
      goal('1,000 requests, 50 threads', '50 generations', `${many.generations}`, many.generations === 50),
      goal('callers past their deadline', '0', `${many.late}`, many.late === 0),
      goal(
        'interactive p95 ahead',
        'of background',
        `${p95(many.interactiveMs)} and ${p95(many.backgroundMs)} ms`,
        p95(many.interactiveMs) < p95(many.backgroundMs),
      ),
    ],
    data: {
      grown,
      big: { ...big, summary: coverage },
      took,
      crowd: { ...many },
    },
  };
}

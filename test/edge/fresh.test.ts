import { expect, test } from 'vitest';
import { sleep } from '../support/program.ts';
import { ask, home, pageBody, pool, purge, TRUST_MS } from './support.ts';

const COLOS = 5;
const PAGES = 50;
const WAVES = 10;
const WIDTH = 25;

const at = home({ colos: COLOS });

interface Topic {
  readonly path: string;
  readonly tag: string;
  readonly prefix: string;
}

const topics: Topic[] = Array.from({ length: PAGES }, (_, i) => ({
  path: `/topics/${i}/page`,
  tag: `topic:${i}`,
  prefix: `/topics/${i}/`,
}));

/** What is purged, by wave: every kind, and both modes. */
const KINDS: ((topic: Topic) => Record<string, unknown>)[] = [
  ({ tag }) => ({ tags: [tag] }),
  ({ path }) => ({ urls: [path] }),
  ({ prefix }) => ({ prefixes: [prefix] }),
  ({ path }) => ({ urls: [`http://localhost${path}`] }),
  ({ tag }) => ({ tags: ['unrelated', tag] }),
  ({ path }) => ({ urls: [path], mode: 'delete' }),
  ({ prefix }) => ({ prefixes: [prefix], mode: 'delete' }),
  ({ tag }) => ({ tags: [tag], mode: 'delete' }),
  ({ tag, path }) => ({ tags: [tag], urls: [path] }),
  () => ({ everything: true }),
];

const body = (topic: Topic, version: number): string => pageBody(topic.path, version, 3_000);

function publish(topic: Topic, version: number): void {
  at.origin.publish(topic.path, body(topic, version), { 'Cache-Tag': topic.tag });
}

/** Data centres in which a reader of the page gets another body than this version's. */
async function wrongIn(colos: readonly number[], topic: Topic, version: number): Promise<string[]> {
  const answers = await Promise.all(colos.map((colo) => ask(at.edge, topic.path, {}, colo)));
  return answers.flatMap((answer, i) =>
    answer.status === 200 && answer.text === body(topic, version)
      ? []
      : [
          `colo ${colos[i]}: ${topic.path} is not version ${version}: ${answer.status} ${answer.headers['cache-status']} ${answer.text.slice(0, 80)}`,
        ],
  );
}

const ALL = Array.from({ length: COLOS }, (_, i) => i);

test('500 rounds of publish, purge and read: never an old page where the purge was acknowledged', async () => {
  for (const topic of topics) publish(topic, 1);
  const cold = await pool(topics, WIDTH, (topic) => wrongIn(ALL, topic, 1));
  expect(cold.flat()).toEqual([]);
  expect(at.origin.count()).toBe(PAGES);
  let rounds = 0;
  let reads = 0;
  for (let wave = 0; wave < WAVES; wave += 1) {
    const version = wave + 2;
    const kind = KINDS[wave % KINDS.length];
    if (kind === undefined) throw new Error('no such wave');
    const atOnce = await pool(topics, WIDTH, async (topic, i) => {
      const colo = (i + wave) % COLOS;
      publish(topic, version);
      await purge(at.edge, kind(topic), colo);
      rounds += 1;
      reads += 1;
      return wrongIn([colo], topic, version);
    });
    expect(atOnce.flat(), `wave ${wave}: right after the acknowledgement`).toEqual([]);
    // Every other data centre still holds the page from the wave before; its snapshot of the ledger ends by then.
    await sleep(TRUST_MS);
    const later = await pool(topics, WIDTH, (topic) => wrongIn(ALL, topic, version));
    reads += PAGES * COLOS;
    expect(later.flat(), `wave ${wave}: everywhere after 5 s`).toEqual([]);
  }
  console.log(`fresh: ${rounds} rounds, ${reads} reads after purges, 0 old; origin asked ${at.origin.count()} times`);
  expect(rounds).toBe(PAGES * WAVES);
});

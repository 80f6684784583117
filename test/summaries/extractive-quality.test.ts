import { expect, test } from 'vitest';
import { clean } from '../../bridge/summaries/extractive/clean.ts';
import { ALL, extractWith, type Parts } from '../../bridge/summaries/extractive/extract.ts';
import { segmenters, sentencesOf } from '../../bridge/summaries/extractive/sentences.ts';
import { seeded, shuffled } from '../support/random.ts';
import { meanRouge, words } from '../support/rouge.ts';
import { type Judged, readCorpus } from '../support/summary-corpus.ts';
import { table } from '../support/table.ts';

/** Every summary is cut to as many words as the references have on average: length alone wins nothing. */
const DRAWS = 200;
const SENTENCES = 4;

interface Score {
  readonly rouge1: number;
  readonly rouge2: number;
}
type Summarise = (judged: Judged) => string;

const localeOf = ({ thread }: Judged) => thread.locale ?? 'en';
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function budget({ references, thread }: Judged): number {
  return Math.round(mean(references.map((text) => words(text, thread.locale ?? 'en').length)));
}

function scoreOf(judged: Judged, summary: string, budgetWords = budget(judged)): Score {
  const ours = words(summary, localeOf(judged)).slice(0, budgetWords);
  const references = judged.references.map((text) => words(text, localeOf(judged)));
  return { rouge1: meanRouge(ours, references, 1), rouge2: meanRouge(ours, references, 2) };
}

function sentencesIn(judged: Judged): string[] {
  const { sentence } = segmenters(localeOf(judged));
  return judged.thread.comments.flatMap(({ text }) => sentencesOf(clean(text), sentence));
}

const ours =
  (parts: Partial<Parts> = {}): Summarise =>
  (judged) =>
    extractWith(judged.thread.comments, { maxSentences: SENTENCES, locale: localeOf(judged) }, { ...ALL, ...parts })
      .summary;
/** The beginning of the thread. */
const lead: Summarise = (judged) => sentencesIn(judged).join(' ');
const drawn =
  (seed: number): Summarise =>
  (judged) =>
    shuffled(sentencesIn(judged), seeded(seed)).join(' ');

const over = (corpus: readonly Judged[], summarise: Summarise): Score => {
  const scores = corpus.map((judged) => scoreOf(judged, summarise(judged)));
  return { rouge1: mean(scores.map(({ rouge1 }) => rouge1)), rouge2: mean(scores.map(({ rouge2 }) => rouge2)) };
};

/** Each reference judged by the others. */
function people(corpus: readonly Judged[]): Score {
  const scores = corpus.flatMap((judged) =>
    judged.references.map((own) => {
      const others = { ...judged, references: judged.references.filter((other) => other !== own) };
      return scoreOf(others, own, budget(judged));
    }),
  );
  return { rouge1: mean(scores.map(({ rouge1 }) => rouge1)), rouge2: mean(scores.map(({ rouge2 }) => rouge2)) };
}

test('extractive summaries are nearer to what people wrote than the beginning of the thread or chance', async () => {
  const corpus = await readCorpus();
  expect(corpus.length).toBeGreaterThanOrEqual(12);
  const draws = Array.from({ length: DRAWS }, (_, seed) => over(corpus, drawn(seed + 1)));
  const chance = { rouge1: mean(draws.map(({ rouge1 }) => rouge1)), rouge2: mean(draws.map(({ rouge2 }) => rouge2)) };
  const rows: [string, Score][] = [
    ['lead', over(corpus, lead)],
    [`random, mean of ${DRAWS} draws`, chance],
    ['LexRank alone', over(corpus, ours({ votes: false, replies: false, mmr: false }))],
    ['without votes', over(corpus, ours({ votes: false }))],
    ['without replies', over(corpus, ours({ replies: false }))],
    ['without MMR', over(corpus, ours({ mmr: false }))],
    ['all of it', over(corpus, ours())],
    ['people against each other', people(corpus)],
  ];
  const draw = rows.map(([name, { rouge1, rouge2 }]) => [name, rouge1.toFixed(3), rouge2.toFixed(3)]);
  console.log(`${corpus.length} threads\n${table(['summary', 'ROUGE-1', 'ROUGE-2'], draw)}`);
  const best = over(corpus, ours());
  const beaten = draws.filter(({ rouge1, rouge2 }) => best.rouge1 > rouge1 && best.rouge2 > rouge2).length;
  console.log(`better than ${beaten} of ${DRAWS} draws by both`);
  expect(beaten).toBeGreaterThan(0.9 * DRAWS);
  for (const baseline of [over(corpus, lead), chance]) {
    expect(best.rouge1).toBeGreaterThan(baseline.rouge1);
    expect(best.rouge2).toBeGreaterThan(baseline.rouge2);
  }
});

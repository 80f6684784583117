import { make } from '../../../bridge/summaries/make.ts';
import { SummaryOptions } from '../../../shared/contract/summary.ts';
import { CountingEngine, partsOf } from './engine.ts';
import { threadOf } from './threads.ts';

/** Says how many MB summarising 5,000 comments took on top, as a process of its own. */
const thread = threadOf({ comments: 5000 });
const before = process.memoryUsage.rss();
let most = before;
const look = (): void => {
  most = Math.max(most, process.memoryUsage.rss());
};
await make(
  { thread, options: SummaryOptions.parse({}), record: null },
  partsOf(new CountingEngine()),
  new AbortController().signal,
  look,
);
look();
process.send?.((most - before) / 1024 ** 2);
process.disconnect?.();

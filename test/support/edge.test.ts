import { expect, test } from 'vitest';
import { startEdge } from './edge.ts';

test('an edge that does not come up is an error that carries its output', async () => {
  await expect(startEdge({ origin: 'no url' })).rejects.toThrow(/the edge exited with 1\n[\s\S]+/);
});

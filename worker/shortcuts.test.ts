import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Shortcuts } from './shortcuts.ts';

test('the last `max` names stay, and never more than twice as many', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.integer({ min: 0, max: 30 })), (max, names) => {
      const shortcuts = new Shortcuts(max);
      for (const name of names) shortcuts.set(String(name), `key of ${name}`);
      expect(shortcuts.size).toBeLessThanOrEqual(2 * max);
      for (const name of names.slice(-max)) expect(shortcuts.get(String(name))).toBe(`key of ${name}`);
    }),
  );
});

test('what is asked for again outlives a flood of what is not', () => {
  const shortcuts = new Shortcuts(10);
  shortcuts.set('front', 'page');
  for (let n = 0; n < 1000; n += 1) {
    shortcuts.set(`junk-${n}`, 'x');
    expect(shortcuts.get('front')).toBe('page');
  }
});

import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../bridge/store/open.ts';
import { Turns } from '../../bridge/store/turns.ts';
import { newDataDirectory } from '../support/bridge.ts';

describe('the queue before the one connection', () => {
  const blocked = () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    return { held, release };
  };

  test('keeps order, lets failures pass, refuses above its bound', async () => {
    const turns = new Turns({ waitingMax: 3, patienceMs: 60_000 });
    const { held, release } = blocked();
    const order: number[] = [];
    const first = turns.take(() => held);
    const rest = [1, 2, 3].map((turn) =>
      turns.take(async () => {
        order.push(turn);
        if (turn === 2) throw new Error('its own');
        return turn;
      }),
    );
    await expect(turns.take(async () => 4)).rejects.toThrow('has 3 statements waiting');
    const last = turns.last(async () => order.push(9));
    release();
    expect((await Promise.allSettled([first, ...rest, last])).map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(order).toEqual([1, 2, 3, 9]);
    expect(await turns.take(async () => 'again')).toBe('again');
  });

  test('lets go of who has waited too long, also while nothing moves, and never runs it', async () => {
    const turns = new Turns({ waitingMax: 10, patienceMs: 50 });
    const { held, release } = blocked();
    const under = turns.take(() => held);
    let ran = 0;
    const late = [1, 2].map(() => turns.take(async () => ran++));
    for (const one of late) await expect(one).rejects.toThrow('within 50 ms');
    const last = turns.last(async () => 'closed');
    release();
    await under;
    expect([await last, ran]).toEqual(['closed', 0]);
  });

  test('stands before the store', async () => {
    const data = await newDataDirectory();
    const store = await openStore({ databaseUrl: null, dataDirectory: data }, () => {});
    const { held, release } = blocked();
    const under = store.transaction(() => held);
    const outcomes = Array.from({ length: 10_050 }, () =>
      store.query('SELECT 1').then(
        () => 'ran',
        (error: Error) => error.message,
      ),
    );
    const refused = (await Promise.all(outcomes.slice(-50))).filter((outcome) => outcome.includes('10000 statements'));
    expect(refused).toHaveLength(50);
    release();
    await under;
    await Promise.all(outcomes);
    expect(await store.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await store.close();
    rmSync(data, { recursive: true });
  }, 60_000);
});

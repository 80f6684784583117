import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SqlValue } from '../../bridge/store/database.ts';
import { PreparedStatements } from '../../bridge/store/prepared.ts';
import { newDataDirectory } from '../support/bridge.ts';

describe('prepared statements of the embedded store', () => {
  let data: string;
  let database: PGlite;
  let statements: PreparedStatements;
  beforeAll(async () => {
    data = await newDataDirectory();
    database = await PGlite.create(join(data, 'postgres'));
    await database.exec(`CREATE TABLE kinds (seq bigint GENERATED ALWAYS AS IDENTITY, label text, number integer, large bigint,
      yes boolean, at timestamptz, body jsonb, real double precision, names text[])`);
    statements = new PreparedStatements(database);
  }, 60_000);
  afterAll(async () => {
    await database.close();
    rmSync(data, { recursive: true });
  });

  const insert = `INSERT INTO kinds (label, number, large, yes, at, body, real, names)
                  VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8) RETURNING *`;
  const full: SqlValue[] = [
    'it\'s \\ "quoted" – 漢字 🎈\n',
    -7,
    Number.MAX_SAFE_INTEGER,
    true,
    '2026-11-21T12:00:00.123Z',
    '{"a":[1,"–",null,{"b":true}]}',
    0.1,
    ['a', 'b,c', '"d"', '{e}', ''],
  ];

  test('every kind of value comes back as it was, and as PGlite gives it', async () => {
    for (const values of [full, full.map(() => null), ['', 0, 0, false, '1970-01-01T00:00:00Z', '[]', -1.5e300, []]]) {
      const [own] = (await statements.query(insert, values as SqlValue[])) as Record<string, unknown>[];
      const { rows } = await database.query('SELECT * FROM kinds WHERE seq = $1', [own?.seq]);
      expect([own]).toEqual(rows);
    }
    const [row] = await statements.query('SELECT * FROM kinds WHERE label = $1', [full[0] ?? null]);
    expect(row).toEqual({
      seq: 1,
      label: full[0],
      number: -7,
      large: Number.MAX_SAFE_INTEGER,
      yes: true,
      at: new Date('2026-11-21T12:00:00.123Z'),
      body: { a: [1, '–', null, { b: true }] },
      real: 0.1,
      names: full[7],
    });
  });

  test.each<[string, SqlValue[]]>([
    ['SELECT * FROM kinds ORDER BY seq', []],
    ['SELECT label, at FROM kinds WHERE seq = ANY($1) ORDER BY seq', [[1, 3]]],
    ['SELECT number FROM kinds WHERE label = ANY($1)', [['', 'nobody']]],
    ['SELECT count(*) AS n, max(seq), bool_or(yes), min(at) FROM kinds WHERE false', []],
    ["SELECT body->'a' AS a, body ? 'a' AS has, names[1] AS first FROM kinds WHERE body IS NOT NULL", []],
    ['WITH two AS (SELECT $1::int AS n UNION SELECT $2) SELECT n FROM two ORDER BY n', [2, 1]],
    ['UPDATE kinds SET number = number + $1 WHERE false', [1]],
    ['SELECT now() > $1::timestamptz AS later, $2::text AS same', ['2020-01-01T00:00:00Z', 'x']],
  ])('%s: the same rows as PGlite', async (text, params) => {
    const { rows } = await database.query(text, [...params]);
    for (let turn = 0; turn < 3; turn++) expect(await statements.query(text, params)).toEqual(rows);
  });

  test('errors carry their code, and nothing is broken afterwards', async () => {
    const failing: [string, SqlValue[], string][] = [
      ['SELECT * FROM no_such_table', [], '42P01'],
      ['SELECT nonsense FROM kinds', [], '42703'],
      ['SELECT 1 / $1::int AS n', [0], '22012'],
      ['SELECT $1::text::jsonb AS body', ['{"a":"\\u0000"}'], '22P05'],
      [`INSERT INTO target (name, cursor) VALUES ('twice', 0), ('twice', 0)`, [], '23505'],
    ];
    for (let turn = 0; turn < 2; turn++) {
      for (const [text, params, code] of failing) {
        await expect(statements.query(text, params)).rejects.toMatchObject({ code, message: expect.any(String) });
        expect(await statements.query('SELECT $1::int AS n', [turn])).toEqual([{ n: turn }]);
      }
    }
    expect(await statements.query('SELECT 1 / $1::int AS n', [1])).toEqual([{ n: 1 }]);
  });

  test('a transaction that failed is aborted until it is rolled back', async () => {
    await statements.query('BEGIN', []);
    await statements.query(insert, full);
    await expect(statements.query('SELECT 1 / $1::int AS n', [0])).rejects.toMatchObject({ code: '22012' });
    await expect(statements.query('SELECT * FROM kinds WHERE seq = $1', [1])).rejects.toMatchObject({ code: '25P02' });
    await statements.query('ROLLBACK', []);
    expect(await statements.query('SELECT count(*) AS n FROM kinds', [])).toEqual([{ n: 3 }]);
  });

  test('a change of the schema is seen by statements prepared before it, also one that is undone', async () => {
    const text = 'SELECT * FROM changing';
    await statements.query('CREATE TABLE changing (a integer)', []);
    await statements.query('INSERT INTO changing VALUES ($1)', [1]);
    expect(await statements.query(text, [])).toEqual([{ a: 1 }]);
    await statements.query(`ALTER TABLE changing ADD COLUMN b text DEFAULT 'b'`, []);
    expect(await statements.query(text, [])).toEqual([{ a: 1, b: 'b' }]);
    await statements.query('BEGIN', []);
    await statements.query('ALTER TABLE changing ALTER COLUMN a TYPE text', []);
    expect(await statements.query(text, [])).toEqual([{ a: '1', b: 'b' }]);
    await statements.query('ROLLBACK', []);
    expect(await statements.query(text, [])).toEqual([{ a: 1, b: 'b' }]);
    await statements.query('DROP TABLE changing', []);
    await expect(statements.query(text, [])).rejects.toMatchObject({ code: '42P01' });
  });

  test('a hundred different texts, those that stay prepared and those that do not', async () => {
    for (let turn = 0; turn < 2; turn++) {
      for (let index = 0; index < 100; index++) {
        expect(await statements.query(`SELECT ${index} AS n, $1::text AS given`, [`${turn}`])).toEqual([
          { n: index, given: `${turn}` },
        ]);
      }
    }
    const long = `SELECT ${Array.from({ length: 500 }, (_, index) => `$1::int + ${index} AS c${index}`).join(', ')}`;
    expect(Object.values((await statements.query(long, [1]))[0] ?? {}).at(-1)).toBe(500);
    const { rows } = await database.query<{ n: number }>('SELECT count(*)::int AS n FROM pg_prepared_statements');
    expect(rows[0]?.n).toBeLessThanOrEqual(64);
  });
});

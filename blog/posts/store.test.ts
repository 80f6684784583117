import { beforeEach, describe, expect, it } from 'vitest';
import type { ContentFs } from './disk.ts';
import { describeProblem } from './problem.ts';
import { createContentStore } from './store.ts';

const NOW = Date.UTC(2026, 10, 20);

/** A file system in memory. Every write takes a new time, as a real one does. */
function createMemoryFs() {
  const files = new Map<string, { text: string; modified: number }>();
  const broken = new Map<string, string>();
  let time = 1_000;
  let down = false;
  let reads = 0;
  const fs: ContentFs = {
    async list() {
      if (down) throw new Error('EIO: i/o error');
      const folder = { path: '', kind: 'folder', modified: time, size: 0 } as const;
      const entries = [...files].map(
        ([path, { text, modified }]) => ({ path, kind: 'file', modified, size: text.length }) as const,
      );
      return [folder, ...entries];
    },
    async read(path) {
      reads += 1;
      const code = broken.get(path) ?? (files.has(path) ? undefined : 'ENOENT');
      if (code) throw Object.assign(new Error(code), { code });
      return new TextEncoder().encode(files.get(path)?.text);
    },
  };
  return {
    fs,
    write: (path: string, text: string) => {
      time += 1_000;
      files.set(path, { text, modified: time });
    },
    remove: (path: string) => {
      time += 1_000;
      files.delete(path);
    },
    break: (path: string, code: string) => broken.set(path, code),
    setDown: (value: boolean) => {
      down = value;
    },
    reads: () => reads,
  };
}

function post(slug: string, title: string, more = '', body = 'Body'): string {
  return `---\ntitle: ${title}\ndate: 2026-11-01\ntags: [one]\nexcerpt: x\nslug: ${slug}\n${more}---\n${body}\n`;
}

describe('the content store', () => {
  let disk = createMemoryFs();
  let store = createContentStore({ fs: disk.fs, now: () => NOW });
  const titles = () => store.current()?.posts.map((one) => one.title);
  const problems = () => store.current()?.problems.map(describeProblem);

  beforeEach(async () => {
    disk = createMemoryFs();
    store = createContentStore({ fs: disk.fs, now: () => NOW });
    disk.write('a.md', post('a', 'A'));
    await store.refresh();
  });

  it('serves what is there, and new, edited, renamed and deleted files after a refresh', async () => {
    expect(titles()).toEqual(['A']);
    disk.write('b.md', post('b', 'B'));
    await store.refresh();
    expect(titles()).toEqual(['A', 'B']);
    disk.write('a.md', post('a', 'A2'));
    await store.refresh();
    expect(titles()).toEqual(['A2', 'B']);
    disk.remove('a.md');
    disk.write('c.md', post('a', 'A3'));
    await store.refresh();
    expect(titles()).toEqual(['A3', 'B']);
    disk.remove('b.md');
    await store.refresh();
    expect(titles()).toEqual(['A3']);
  });

  it('keeps the last good version of a broken file and says what is wrong', async () => {
    disk.write('a.md', post('a', 'A').replace('2026-11-01', 'soon'));
    await store.refresh();
    expect(titles()).toEqual(['A']);
    expect(problems()?.[0]).toContain('a.md:3: date: must be a day');
    disk.write('a.md', post('a', 'Mended'));
    await store.refresh();
    expect([titles(), problems()]).toEqual([['Mended'], []]);
  });

  it.each([
    [
      'cannot be read',
      () => disk.break('b.md', 'EACCES'),
      'b.md: file: cannot be read (EACCES); check its permissions',
    ],
    ['is too long', () => disk.write('b.md', 'x'.repeat(1_000_001)), 'b.md: file: has 1000001 bytes'],
  ])('goes on with the others when a new file %s', async (_, damage, message) => {
    disk.write('b.md', post('b', 'B'));
    damage();
    await store.refresh();
    expect(titles()).toEqual(['A']);
    expect(problems()?.[0]).toContain(message);
  });

  it('hides drafts, also one that was published before', async () => {
    disk.write('a.md', post('a', 'A', 'draft: true\n'));
    await store.refresh();
    expect([titles(), problems()]).toEqual([[], []]);
  });

  it('leaves a slug with the file that had it, and names both', async () => {
    disk.write('Z.md', post('a', 'Usurper'));
    await store.refresh();
    expect(titles()).toEqual(['A']);
    expect(problems()).toEqual(['Z.md: slug: "a" is already used by a.md; give one of the two another slug']);
  });

  it('renders a post again when its picture changes, and mends it when the picture arrives', async () => {
    disk.write('a.md', post('a', 'A', '', '![x](images/p.svg)'));
    await store.refresh();
    expect(problems()?.[0]).toContain('a.md:8: image: "images/p.svg" is not in the content directory');
    disk.write('images/p.svg', '<svg/>');
    await store.refresh();
    const first = store.current()?.bySlug.get('a')?.html;
    expect([problems(), first]).toEqual([[], expect.stringContaining('/assets/p.')]);
    disk.write('images/p.svg', '<svg> </svg>');
    await store.refresh();
    expect(store.current()?.bySlug.get('a')?.html).not.toBe(first);
  });

  it('keeps everything while the whole directory is unreadable', async () => {
    disk.setDown(true);
    await store.refresh();
    expect([titles(), store.unreadable()]).toEqual([['A'], 'EIO: i/o error']);
    disk.setDown(false);
    await store.refresh();
    expect(store.unreadable()).toBeUndefined();
  });

  it('reads nothing when nothing changed, and tells nobody', async () => {
    const [before, reads] = [store.current(), disk.reads()];
    await store.refresh();
    expect(store.current()).toBe(before);
    expect(disk.reads()).toBe(reads);
  });

  it('shares one look among all who come while another is under way, and that one sees their change', async () => {
    const early = store.refresh();
    disk.write('b.md', post('b', 'B'));
    const [second, third] = [store.refresh(), store.refresh()];
    expect(second).toBe(third);
    await Promise.all([early, second]);
    expect(titles()).toEqual(['A', 'B']);
  });

  it('reads a file again that is too young for its time to be trusted', async () => {
    const young = createContentStore({ fs: disk.fs, now: () => 2_050 });
    await young.refresh();
    const reads = disk.reads();
    await young.refresh();
    expect(disk.reads()).toBeGreaterThan(reads);
  });
});

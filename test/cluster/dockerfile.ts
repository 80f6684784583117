import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';

/** One instruction of a Dockerfile: its name, its flags and its arguments (Dockerfile reference). */
export interface Instruction {
  readonly name: string;
  readonly flags: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

export interface Stage {
  readonly image: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

const JSON_FORM = ['ENTRYPOINT', 'CMD', 'VOLUME'];

function parseLine(line: string): Instruction {
  const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
  if (JSON_FORM.includes(name) && rest.startsWith('[')) return { name, flags: {}, args: JSON.parse(rest) as string[] };
  const words = rest.split(/\s+/);
  const flags = words.filter((word) => word.startsWith('--') && name === 'COPY');
  return {
    name,
    flags: Object.fromEntries(flags.map((flag) => flag.slice(2).split('=') as [string, string])),
    args: words.filter((word) => !flags.includes(word)),
  };
}

/** The stages of a Dockerfile. Knows the instructions that ours use and refuses every other. */
export function parseDockerfile(source: string): Stage[] {
  const known = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'VOLUME', 'ENTRYPOINT', 'CMD'];
  const lines = source
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const stages: { image: string; name: string; instructions: Instruction[] }[] = [];
  for (const instruction of lines.map(parseLine)) {
    if (!known.includes(instruction.name)) throw new Error(`"${instruction.name}" is not an instruction known here`);
    if (instruction.name === 'FROM')
      stages.push({ image: instruction.args[0] ?? '', name: instruction.args[2] ?? '', instructions: [] });
    else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** Whether a .dockerignore lets a path of the context through: the last pattern that matches decides. */
export function sent(path: string, ignore: string): boolean {
  const patterns = ignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const matches = (pattern: string): boolean => {
    const expression = pattern.replaceAll(/\*\*\/|\*|[.+^${}()|[\]\\]/g, (part) =>
      part === '**/' ? '(?:.*/)?' : part === '*' ? '[^/]*' : `\\${part}`,
    );
    return new RegExp(`^${expression}(?:/.*)?$`).test(path);
  };
  return patterns.reduce(
    (kept, pattern) => (pattern.startsWith('!') ? kept || matches(pattern.slice(1)) : kept && !matches(pattern)),
    true,
  );
}

/** What Git tracks and the .dockerignore sends: the context of a build from a fresh clone. */
export function contextFiles(repository: string, ignore: string): string[] {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: repository, encoding: 'utf8' }).split('\0');
  return tracked.filter((path) => path !== '' && existsSync(join(repository, path)) && sent(path, ignore));
}

export interface Built {
  /** Root of the last stage's file system, as far as the build made it. */
  readonly root: string;
  readonly workdir: string;
  readonly user: string;
  readonly command: readonly string[];
}

/**
 * Does what the instructions say in folders below `into`, one a stage.
 * @param install what stands for the one RUN that ours have, `npm ci`, in the folder given
 */
export function build(
  dockerfile: string,
  repository: string,
  into: string,
  install: (folder: string, args: readonly string[]) => void,
): Built {
  const files = contextFiles(repository, readFileSync(`${dockerfile}.dockerignore`, 'utf8'));
  const roots = new Map<string, string>();
  let built: Built = { root: into, workdir: '/', user: 'root', command: [] };
  for (const [index, stage] of parseDockerfile(readFileSync(dockerfile, 'utf8')).entries()) {
    const root = join(into, String(index));
    roots.set(stage.name, root);
    built = { root, workdir: '/', user: 'root', command: [] };
    for (const { name, flags, args } of stage.instructions) {
      const here = (path: string): string => join(root, isAbsolute(path) ? path : join(built.workdir, path));
      if (name === 'WORKDIR') built = { ...built, workdir: args[0] ?? '/' };
      if (name === 'USER') built = { ...built, user: args[0] ?? '' };
      if (name === 'CMD') built = { ...built, command: args };
      if (name === 'RUN') install(here('.'), args);
      if (name === 'COPY') {
        const from = flags.from === undefined ? undefined : roots.get(flags.from);
        copy(args, from ?? repository, from === undefined ? files : undefined, here);
      }
      mkdirSync(here('.'), { recursive: true });
    }
  }
  return built;
}

function copy(
  args: readonly string[],
  base: string,
  files: readonly string[] | undefined,
  here: (path: string) => string,
): void {
  const target = args.at(-1) ?? '.';
  for (const source of args.slice(0, -1)) {
    const into = args.length > 2 || target.endsWith('/') ? join(target, source) : target;
    if (files === undefined) {
      // A finished stage is not built upon again: what is copied out of it may as well move.
      mkdirSync(dirname(here(into)), { recursive: true });
      renameSync(join(base, source), here(into));
      continue;
    }
    const chosen = files.filter((path) => path === source || path.startsWith(`${source}/`));
    if (chosen.length === 0) throw new Error(`COPY ${source}: the context has no such file`);
    for (const path of chosen) {
      const to = here(join(into, relative(source, path)));
      mkdirSync(dirname(to), { recursive: true });
      cpSync(join(base, path), to);
    }
  }
}

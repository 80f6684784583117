/** One thing wrong with the content: where it is and what the author should do about it. */
export interface Problem {
  /** Path relative to the content directory. */
  readonly file: string;
  /** 1-based line in that file; absent where the whole file is meant. */
  readonly line?: number;
  /** Front-matter field, or the part of the document (`front matter`, `image`, `file`). */
  readonly field: string;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** `hello.md:3: date: ...`, the form compilers use, so that editors can jump to it. */
export function describeProblem(problem: Problem): string {
  const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`;
  return `${place}: ${problem.field}: ${problem.message}`;
}

import type { Cell } from '../support/table.ts';
import type { LoadOptions, Target } from './load.ts';

export interface BenchOptions extends LoadOptions {
  rounds: number;
  /** Size of the page everyone serves, bytes. */
  bytes: number;
}

export interface Bench {
  options: BenchOptions;
  origin: Target;
  note: (text: string) => void;
  /** Starts a server and stops it when the scenario ends; undefined, and noted as not measured, if it does not start. */
  start: (name: string, begin: () => Promise<Target>) => Promise<Target | undefined>;
}

export const UNMEASURED = 'not measured';

/** A goal, what was measured, and whether that is enough. */
export interface Goal {
  what: string;
  goal: string;
  measured: string;
  met: boolean;
}

export interface Outcome {
  title: string;
  tables: { head: string[]; rows: Cell[][] }[];
  goals: Goal[];
  /** Goes into the JSON as it is. */
  data: unknown;
}

export type Scenario = (bench: Bench) => Promise<Outcome>;

import type { Engine, FailureName, GenerateRequest, GenerateResult } from '../types.ts';
import { admit, BREAKER_LIMITS, type BreakerLimits, type BreakerState, CLOSED, settle } from './breaker.ts';
import type { OllamaEngine } from './ollama.ts';

export interface GuardOptions {
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  /** Let the CPU do it, however slow. */
  readonly allowCpu: boolean;
  /** Least share of the model in the GPU's memory. Default 0.5: below, it is as slow as none. */
  readonly minGpuShare?: number;
  /**
   * Milliseconds without a first token after which a generation that is broken off says the engine is silent: callers' deadlines are
   * mostly shorter than the engine's own. Default 15 s; where the CPU may do it, none says so.
   */
  readonly silentMs?: number;
  readonly limits?: Partial<BreakerLimits>;
  /** The breaker changed, for the log and the metrics. */
  readonly changed?: (state: BreakerState) => void;
  /** The model was looked at: its share of the GPU. For the metrics. */
  readonly looked?: (gpuShare: number) => void;
}

export interface GuardedEngine extends Engine {
  readonly breaker: BreakerState;
  /** The model's share of the GPU when it was last looked at; null: not yet. */
  readonly gpuShare: number | null;
  /** Milliseconds until a generation may be tried again; 0: now. */
  retryAfterMs(): number;
}

/** A model does not move from the GPU to the CPU from one short answer to the next. */
const RIGHT_MS = 1000;
const SILENT_MS = 15_000;
const NEVER_USED: GenerateResult = { ok: false, failure: 'aborted', message: '', usage: null };

/**
 * An engine that is left alone for a while once it fails. While the breaker is open, `generate` answers `breaker-open` (or
 * `on-cpu`) at once; `model` goes on working, so that what is kept can still be found.
 */
export class BreakerEngine implements GuardedEngine {
  gpuShare: number | null = null;
  private readonly engine: OllamaEngine;
  private readonly options: GuardOptions;
  private readonly limits: BreakerLimits;
  private state: BreakerState = CLOSED;
  /** The model was just seen in its place. */
  private rightUntil = 0;

  constructor(engine: OllamaEngine, options: GuardOptions) {
    this.engine = engine;
    this.options = options;
    this.limits = { ...BREAKER_LIMITS, ...options.limits };
  }

  get breaker(): BreakerState {
    return this.state;
  }

  model(signal: AbortSignal): ReturnType<Engine['model']> {
    return this.engine.model(signal);
  }

  retryAfterMs(): number {
    const { verdict } = admit(this.state, this.options.now());
    return verdict.kind === 'refuse' ? verdict.retryAfterMs : 0;
  }

  async generate(request: GenerateRequest, signal: AbortSignal): Promise<GenerateResult> {
    const { verdict, state } = admit(this.state, this.options.now());
    this.become(state);
    if (verdict.kind === 'refuse') {
      const failure: FailureName = verdict.failure === 'on-cpu' ? 'on-cpu' : 'breaker-open';
      const seconds = Math.ceil(verdict.retryAfterMs / 1000);
      const message = `not asked after ${verdict.failure}; again in ${seconds} s`;
      return { ok: false, failure, message, usage: null };
    }
    const probe = verdict.kind === 'probe';
    const startedAt = this.options.now();
    let result = NEVER_USED;
    try {
      result = await this.watched(request, signal, probe);
    } finally {
      const { random } = this.options;
      const now = this.options.now();
      const failure = this.counted(result, now - startedAt);
      this.become(settle(this.state, { failure, probe, now, random: random(), limits: this.limits }));
    }
    return result;
  }

  /** What a result says of the engine: one that was broken off after a long silence says it is silent. */
  private counted(result: GenerateResult, tookMs: number): FailureName | null {
    if (result.ok) return null;
    const { allowCpu, silentMs = allowCpu ? Number.POSITIVE_INFINITY : SILENT_MS } = this.options;
    const hasSpoken = (result.usage?.firstTokenMs ?? null) !== null;
    return result.failure === 'aborted' && !hasSpoken && tookMs >= silentMs ? 'first-token-timeout' : result.failure;
  }

  /**
   * Looks where the model lies with the first token, when it is loaded for certain; breaks the generation off if that is not the
   * GPU, unless the CPU is allowed.
   */
  private async watched(request: GenerateRequest, signal: AbortSignal, probe: boolean): Promise<GenerateResult> {
    const wrong: GenerateResult = { ok: false, failure: 'on-cpu', message: 'the model is not on the GPU', usage: null };
    const { allowCpu } = this.options;
    if (probe && !allowCpu && (await this.misplaced(signal))) return wrong;
    const slow = new AbortController();
    let looked = this.options.now() < this.rightUntil;
    const look = async () => {
      if ((await this.misplaced(slow.signal)) && !allowCpu) slow.abort();
    };
    const onText = (delta: string) => {
      if (!looked) void look();
      looked = true;
      request.onText?.(delta);
    };
    const result = await this.engine.generate({ ...request, onText }, AbortSignal.any([signal, slow.signal]));
    const stopped = !result.ok && result.failure === 'aborted' && slow.signal.aborted && !signal.aborted;
    return stopped ? { ...wrong, usage: result.usage } : result;
  }

  /** True only if the model is loaded, and lies mostly outside the GPU. */
  private async misplaced(signal: AbortSignal): Promise<boolean> {
    const load = await this.engine.load(signal);
    if (load === null) return false;
    this.gpuShare = load.gpuShare;
    this.options.looked?.(load.gpuShare);
    const wrong = load.gpuShare < (this.options.minGpuShare ?? 0.5);
    if (!wrong) this.rightUntil = this.options.now() + RIGHT_MS;
    return wrong;
  }

  private become(state: BreakerState): void {
    const changed = state.kind !== this.state.kind;
    this.state = state;
    if (changed) this.options.changed?.(state);
  }
}

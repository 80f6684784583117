import type { Ollama } from 'ollama';
import { z } from 'zod';
import type { ModelInfo } from '../types.ts';
import { EngineFailure } from './failure.ts';

const tagged = (name: string): string => (/:[^/]*$/.test(name) ? name : `${name}:latest`);

const tags = z.object({ models: z.array(z.object({ name: z.string(), digest: z.string().min(1) })) });
const loaded = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      digest: z.string(),
      size: z.number(),
      size_vram: z.number().default(0),
      context_length: z.number().optional(),
      expires_at: z.string().optional(),
    }),
  ),
});
const shown = z.object({ model_info: z.record(z.string(), z.unknown()) });

function read<T>(schema: z.ZodType<T>, value: unknown, path: string): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new EngineFailure('not-ollama', `${path} answers in another shape`);
  return result.data;
}

/** The model in the GPU's memory or beside it. */
export interface ModelLoad {
  /** 0 to 1; 0 means that the CPU does the work. */
  readonly gpuShare: number;
  readonly bytes: number;
  readonly contextTokens: number | null;
  readonly digest: string;
  /** RFC 3339; when Ollama unloads it. */
  readonly expiresAt: string | null;
}

/** `GET /api/ps`: null while the model is not loaded. @throws EngineFailure, or what the client throws */
export async function readLoad(client: Ollama, name: string): Promise<ModelLoad | null> {
  const { models } = read(loaded, await client.ps(), '/api/ps');
  const model = models.find((one) => tagged(one.name) === tagged(name));
  if (model === undefined) return null;
  return {
    gpuShare: model.size > 0 ? Math.min(1, model.size_vram / model.size) : 0,
    bytes: model.size,
    contextTokens: model.context_length ?? null,
    digest: model.digest,
    expiresAt: model.expires_at ?? null,
  };
}

/** Tokens the model was trained for (`<architecture>.context_length`), or null where it does not say. */
async function trainedContext(client: Ollama, name: string): Promise<number | null> {
  const { model_info: info } = read(shown, await client.show({ model: name }), '/api/show');
  const value = info[`${String(info['general.architecture'])}.context_length`];
  return typeof value === 'number' && value > 0 ? value : null;
}

/** The model as it is installed now; asks for its context once for every digest. */
export class InstalledModel {
  private readonly name: string;
  private readonly contextTokens: number;
  private last: ModelInfo | null = null;

  constructor(name: string, contextTokens: number) {
    this.name = name;
    this.contextTokens = contextTokens;
  }

  /** Never generates. @throws EngineFailure, or what the client throws */
  async read(client: () => Ollama): Promise<ModelInfo> {
    const { models } = read(tags, await client().list(), '/api/tags');
    const found = models.find(({ name }) => tagged(name) === tagged(this.name));
    if (found === undefined) {
      throw new EngineFailure('model-missing', `no ${this.name}: run "ollama pull ${this.name}"`);
    }
    if (this.last?.digest === found.digest) return this.last;
    const trained = await trainedContext(client(), this.name);
    const contextTokens = Math.min(this.contextTokens, trained ?? this.contextTokens);
    this.last = { name: this.name, digest: found.digest, contextTokens };
    return this.last;
  }
}

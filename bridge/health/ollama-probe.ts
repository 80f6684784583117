import { getJson } from './get-json.ts';
import { absent, type Probe } from './prober.ts';

export interface OllamaProbeOptions {
  readonly host: string | null;
  readonly model: string;
  readonly fetch: typeof globalThis.fetch;
  /** What waits for it and what it works on. */
  readonly queue: () => Record<string, unknown>;
}

/** By what costs nothing: the version, which models are there, and which lie in which memory. Never by generating. */
export function ollamaProbe({ host, model, fetch, queue }: OllamaProbeOptions): Probe {
  return {
    name: 'ollama',
    check: async (signal) => {
      if (host === null) return absent('set OLLAMA_HOST; comment summaries are extractive until then');
      const version = await getJson(`${host}/api/version`, fetch, signal);
      if ('failure' in version) return { state: 'down', detail: version.failure };
      const present = (await listed(`${host}/api/tags`, fetch, signal))?.map(presentFacts) ?? null;
      const loaded = (await listed(`${host}/api/ps`, fetch, signal))?.map(modelFacts) ?? [];
      const ours = present?.find(({ name }) => isSame(name, model)) ?? null;
      const where = (loaded.find(({ name }) => isSame(name, model)) ?? loaded[0])?.device ?? 'no model loaded';
      const said = `version ${String(version.body.version).slice(0, 40)}`;
      const facts = {
        version: version.body.version,
        model,
        digest: ours?.digest ?? null,
        models: loaded,
        queue: queue(),
      };
      if (present !== null && ours === null)
        return { state: 'down', detail: `${said}, but no ${model}: run "ollama pull ${model}"`, facts };
      return { state: 'up', detail: `${said}, ${where}`, facts };
    },
  };
}

interface Listed {
  readonly name?: unknown;
  readonly digest?: unknown;
  readonly size?: number;
  readonly size_vram?: number;
}

async function listed(url: string, fetch: typeof globalThis.fetch, signal: AbortSignal): Promise<Listed[] | null> {
  const answer = await getJson(url, fetch, signal);
  return 'body' in answer && Array.isArray(answer.body.models) ? answer.body.models : null;
}

/** `llama3` is `llama3:latest`. */
const isSame = (name: string, model: string) => name === model || name === `${model}:latest`;

const presentFacts = (model: Listed) => ({
  name: String(model.name).slice(0, 100),
  digest: String(model.digest ?? '').slice(0, 80),
});

/** `size_vram` says how much of the model lies in the GPU's memory: nothing of it means that the CPU computes. */
function modelFacts({ name, size = 0, size_vram: vram = 0 }: Listed) {
  const device = vram <= 0 ? 'cpu' : vram >= size ? 'gpu' : `gpu for ${Math.round((vram / size) * 100)} %`;
  return { name: String(name).slice(0, 100), device };
}

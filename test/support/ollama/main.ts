import { parseArgs } from 'node:util';
import { FAULT_NAMES, type FaultName } from './faults.ts';
import { SMALL_MODEL, TestOllama } from './server.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '11434' },
    model: { type: 'string', default: SMALL_MODEL.name },
    'tokens-per-second': { type: 'string', default: '20' },
    'prompt-tokens-per-second': { type: 'string', default: '200' },
    context: { type: 'string', default: String(SMALL_MODEL.contextLength) },
    slots: { type: 'string', default: '1' },
    fault: { type: 'string', multiple: true, default: [] },
  },
});

const msPer = (rate: string): number => (Number(rate) > 0 ? 1000 / Number(rate) : 0);
const isFault = (name: string): name is FaultName => (FAULT_NAMES as readonly string[]).includes(name);

const unknown = values.fault.filter((name) => !isFault(name));
if (unknown.length > 0) {
  console.error(`--fault ${unknown.join(', ')}: not one of ${FAULT_NAMES.join(', ')}`);
  process.exit(1);
}
const ollama = await TestOllama.start({
  port: Number(values.port),
  models: [{ ...SMALL_MODEL, name: values.model, contextLength: Number(values.context) }],
  slots: Number(values.slots),
  msPerAnswerToken: msPer(values['tokens-per-second']),
  msPerPromptToken: msPer(values['prompt-tokens-per-second']),
});
for (const name of values.fault.filter(isFault)) ollama.fault(name);
console.log(`test Ollama with ${values.model} on ${ollama.url}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    console.log(JSON.stringify(ollama.counts));
    void ollama.stop();
  });
}

import { startModel } from '../support/summary-model.ts';

/**
 * The stand-in for Ollama in a process of its own, as the real one is: in the caller's, a direct request would not leave its thread, and one
 * through the bridge would wait for that. Tells its address; asked anything, the body of its last chat.
 */
const model = await startModel();
process.on('message', () => process.send?.({ body: model.chats.at(-1)?.body ?? '' }));
process.once('disconnect', () => void model.close());
process.send?.({ url: model.url, env: model.env });

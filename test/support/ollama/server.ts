import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer } from './answer.ts';
import { chat } from './chat.ts';
import type { FaultName, FaultOptions } from './faults.ts';
import { type Counts, Machine, type TestOllamaOptions } from './machine.ts';
import { showAnswer, type TestModel, tagsEntry } from './model.ts';
import { readBody, sendError, sendJson, sendLoginPage } from './wire.ts';

export type { Answer, Asked } from './answer.ts';
export type { FaultName, FaultOptions } from './faults.ts';
export type { TestOllamaOptions } from './machine.ts';
export { SMALL_MODEL, type TestModel } from './model.ts';

async function show(machine: Machine, req: IncomingMessage, res: ServerResponse): Promise<void> {
  let name = '';
  try {
    const { model } = JSON.parse(await readBody(req)) as { model?: unknown };
    name = String(model ?? '');
  } catch {
    return sendError(res, 400, 'unexpected EOF');
  }
  const model = machine.find(name);
  if (model === undefined) return sendError(res, 404, `model '${name}' not found`);
  sendJson(res, 200, showAnswer(model), true);
}

async function route(machine: Machine, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const path = `${req.method} ${req.url}`;
  machine.requests[path] = (machine.requests[path] ?? 0) + 1;
  if (path === 'POST /api/chat') return chat(machine, req, res);
  if (machine.faults.has('html-login')) return sendLoginPage(res);
  if (path === 'GET /api/version') return sendJson(res, 200, { version: machine.version });
  if (path === 'GET /api/ps') return sendJson(res, 200, { models: machine.ps() });
  if (path === 'GET /api/tags') return sendJson(res, 200, { models: machine.installed.map(tagsEntry) });
  if (path === 'POST /api/show') return show(machine, req, res);
  if (path === 'GET /') return void res.end('Ollama is running');
  res.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
}

/**
 * An Ollama without a model, on loopback: the native API's wire format, one generation after the other, at a pace of its
 * own; what a test wants to go wrong goes wrong. Counts what the GPU would have done.
 */
export class TestOllama {
  readonly url: string;
  readonly machine: Machine;
  private readonly server: Server;

  private constructor(server: Server, machine: Machine) {
    this.server = server;
    this.machine = machine;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(options: TestOllamaOptions = {}): Promise<TestOllama> {
    const machine = new Machine(options);
    const server = createServer((req, res) => {
      route(machine, req, res).catch(() => res.destroy());
    });
    server.listen(options.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    return new TestOllama(server, machine);
  }

  /** What the GPU did since the start or the last `resetCounts`; `running` and `queued` are of now. */
  get counts(): Readonly<Counts> & { readonly running: number; readonly queued: number } {
    const { running, queued } = this.machine.slots;
    return { ...this.machine.counts, running, queued };
  }

  resetCounts(): void {
    this.machine.resetCounts();
  }

  /** Requests so far, such as `requests('GET /api/ps')`. */
  requests(methodAndPath: string): number {
    return this.machine.requests[methodAndPath] ?? 0;
  }

  /** For the next `times` chats, else until cleared. */
  fault(name: FaultName, options: FaultOptions = {}): void {
    this.machine.faults.add(name, options);
  }

  clearFaults(name?: FaultName): void {
    this.machine.faults.clear(name);
  }

  /** What the model writes from now on. */
  set answer(answer: Answer) {
    this.machine.answer = answer;
  }

  install(model: TestModel): void {
    this.machine.install(model);
  }

  remove(name: string): void {
    this.machine.remove(name);
  }

  /** Breaks off whatever is under way. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }
}

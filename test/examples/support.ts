import { Timestamp } from 'firebase-admin/firestore';
import functionsTest from 'firebase-functions-test';
import { metadataIdentity } from '../../examples/firebase/identity.ts';
import { type Fields, firestoreThreads } from '../../examples/firebase/store.ts';
import type { Deps } from '../../examples/firebase/summarise.ts';
import { summariseComments } from '../../examples/firebase/trigger.ts';
import { remoteKeys, verifyJwt } from '../../shared/access/jwt.ts';
import { bearer, createBridgeClient } from '../../shared/client.ts';
import { startBridgeStandIn } from '../support/bridge-stand-in.ts';
import { MemoryFirestore } from '../support/firestore.ts';
import { startIssuer } from '../support/issuer.ts';
import { startMetadataServer } from '../support/metadata-server.ts';

export const NOW = Date.UTC(2026, 10, 21, 12);
export const AUDIENCE = 'https://api.blog.example';
export const ACCOUNT = 'summaries@blog-example.iam.gserviceaccount.com';
const THREAD = 'post-1';

/** Issuer, metadata server and bridge on loopback. */
async function startServers(account: string, now: () => number) {
  const issuer = await startIssuer();
  const metadata = await startMetadataServer(issuer, (aud) => ({
    iss: issuer.url,
    aud,
    sub: '1122334455',
    email: account,
    email_verified: true,
    iat: Math.floor(now() / 1000),
    exp: Math.floor(now() / 1000) + 3600,
  }));
  const keys = remoteKeys(new URL(issuer.jwksUrl));
  const bridge = await startBridgeStandIn({
    tokens: [],
    google: {
      verify: (token, nowMs) => verifyJwt(token, { issuer: [issuer.url], audience: [AUDIENCE] }, keys, nowMs),
      allowed: [ACCOUNT],
    },
    access: null,
    subtle: crypto.subtle,
    now,
  });
  const close = async () => void (await Promise.all([issuer.close(), metadata.close(), bridge.close()]));
  return { metadata, bridge, close };
}

/** A function with everything around it on loopback. Offline: no project, no credentials. */
export async function startWorld({ account = ACCOUNT, audience = AUDIENCE, attempts = 1 } = {}) {
  const clock = { ms: NOW };
  const { metadata, bridge, close: closeServers } = await startServers(account, () => clock.ms);
  const offline = functionsTest();
  const database = new MemoryFirestore(NOW);
  const log: string[] = [];
  const identity = metadataIdentity({ audience, fetch, now: () => clock.ms, metadataUrl: metadata.url });
  const deps: Deps = {
    threads: firestoreThreads(database),
    bridge: createBridgeClient({
      baseUrl: bridge.url,
      credentials: bearer(identity),
      attempts,
      runtime: { sleep: async () => {} },
    }),
    now: () => clock.ms,
    log: (level, message) => void log.push(`${level} ${message}`),
  };
  const trigger = summariseComments(() => deps, 'europe-west1');
  const wrapped = offline.wrap(trigger);
  let events = 0;

  /** A change of a comment as Firestore commits it; the event that Eventarc will deliver, at least once. */
  const change = (commentId: string, fields: Fields | null) => {
    const path = `threads/${THREAD}/comments/${commentId}`;
    const before = database.read(path) ?? {};
    database.write(path, fields);
    const time = new Date(database.nowMicros / 1000).toISOString();
    const id = `event-${++events}-of-${commentId}`;
    return () =>
      wrapped({
        id,
        time,
        params: { threadId: THREAD, commentId },
        data: offline.makeChange(
          offline.firestore.makeDocumentSnapshot(before, path),
          offline.firestore.makeDocumentSnapshot(fields ?? {}, path),
        ),
      });
  };
  /** Time passes, for the database as for the function. */
  const later = (ms: number) => {
    clock.ms += ms;
    database.nowMicros += ms * 1000;
  };
  const close = async () => {
    offline.cleanup();
    await closeServers();
  };
  const current = () => database.read(`threads/${THREAD}/summary/current`);
  return { trigger, bridge, metadata, database, log, change, later, current, close };
}
export type World = Awaited<ReturnType<typeof startWorld>>;

export const comment = (text: string, more: Fields = {}): Fields => ({
  text,
  author: 'ann',
  createdAt: Timestamp.fromMillis(NOW - 60_000),
  votes: 1,
  ...more,
});

import { initializeApp } from 'firebase-admin/app';
import { type DocumentReference, getFirestore } from 'firebase-admin/firestore';
import { logger } from 'firebase-functions';
import { defineString } from 'firebase-functions/params';
import { bearer, createBridgeClient } from '../../shared/client.ts';
import { metadataIdentity } from './identity.ts';
import { type Database, firestoreThreads } from './store.ts';
import type { Deps } from './summarise.ts';
import { summariseComments } from './trigger.ts';

const bridgeUrl = defineString('BRIDGE_URL', { description: 'Such as https://api.blog.example.' });
const audience = defineString('BRIDGE_AUDIENCE', { description: "The bridge's OIDC_AUDIENCE, to the letter." });

function deps(): Deps {
  initializeApp();
  const database: Database<DocumentReference> = getFirestore();
  const identity = metadataIdentity({ audience: audience.value(), fetch, now: Date.now });
  return {
    threads: firestoreThreads(database),
    bridge: createBridgeClient({ baseUrl: bridgeUrl.value(), credentials: bearer(identity), attempts: 2 }),
    now: Date.now,
    log: (level, message, fields) => logger[level](message, fields),
  };
}

export const summarisecomments = summariseComments(deps, 'europe-west1');

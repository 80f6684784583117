import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { armor, Decrypter, Encrypter } from 'age-encryption';
import { isMap, type Json, type JsonMap, list, map, text } from './manifest.ts';

/**
 * SOPS' file format with age recipients (getsops.io, "Encryption Protocol"): each value under the encrypted keys becomes
 * `ENC[AES256_GCM,...]` under one data key, bound to its path; a MAC over all values stops swapping and cutting.
 */
const ENCRYPTED = /^(data|stringData)$/;
const TOKEN = /^ENC\[AES256_GCM,data:(.*),iv:(.+),tag:(.+),type:str\]$/;

function seal(key: Buffer, plain: string, aad: string, random: (size: number) => Buffer): string {
  const iv = random(32);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(aad));
  const data = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return `ENC[AES256_GCM,data:${data.toString('base64')},iv:${iv.toString('base64')},tag:${cipher.getAuthTag().toString('base64')},type:str]`;
}

function open(key: Buffer, token: string, aad: string): string {
  const [, data, iv, tag] = TOKEN.exec(token) ?? [];
  if (data === undefined || iv === undefined || tag === undefined) throw new Error(`${aad} is not an encrypted string`);
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'));
  decipher.setAAD(Buffer.from(aad)).setAuthTag(Buffer.from(tag, 'base64'));
  return Buffer.concat([decipher.update(data, 'base64'), decipher.final()]).toString('utf8');
}

/** Applies `change` to every value below an encrypted key; `visit` sees every plain value in order, for the MAC. */
function walk(
  value: Json,
  path: readonly string[],
  inside: boolean,
  change: (leaf: string, aad: string) => string,
  visit: (leaf: string) => void,
): Json {
  if (isMap(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        walk(inner, [...path, key], inside || ENCRYPTED.test(key), change, visit),
      ]),
    );
  }
  // SOPS leaves list indices out of the path.
  if (Array.isArray(value)) return value.map((inner) => walk(inner, path, inside, change, visit));
  if (!inside || typeof value !== 'string') {
    visit(typeof value === 'boolean' ? (value ? 'True' : 'False') : text(value));
    return value;
  }
  return change(value, `${path.join(':')}:`);
}

/** Encrypts a Secret's `data` and `stringData` to age recipients. `now` is an RFC 3339 time, without fractions. */
export async function encryptSecret(
  secret: JsonMap,
  recipients: readonly string[],
  now: string,
  random: (size: number) => Buffer = randomBytes,
): Promise<JsonMap> {
  const key = random(32);
  const mac = createHash('sha512');
  const sealed = map(
    walk(
      secret,
      [],
      false,
      (leaf, aad) => {
        mac.update(leaf);
        return seal(key, leaf, aad, random);
      },
      (leaf) => void mac.update(leaf),
    ),
  );
  const age = await Promise.all(
    recipients.map(async (recipient) => {
      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      return { recipient, enc: armor.encode(await encrypter.encrypt(new Uint8Array(key))) };
    }),
  );
  const digest = mac.digest('hex').toUpperCase();
  return {
    ...sealed,
    sops: {
      age,
      lastmodified: now,
      mac: seal(key, digest, now, random),
      encrypted_regex: ENCRYPTED.source,
      version: '3.11.0',
    },
  };
}

/**
 * Opens a SOPS file with an age identity. Throws where no recipient fits, or a value or the MAC was changed.
 * @param mac false for an object that kustomize rendered: it reorders keys and adds annotations, so the MAC of the file
 *   no longer fits, and Flux' kustomize-controller does not check it either. Each value stays bound to its path.
 */
export async function decryptSecret(file: JsonMap, identity: string, mac = true): Promise<JsonMap> {
  const { sops, ...sealed } = file;
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  let key: Buffer | undefined;
  for (const entry of list(map(sops).age)) {
    try {
      key ??= Buffer.from(await decrypter.decrypt(armor.decode(text(map(entry).enc))));
    } catch {
      // Another recipient's copy of the key.
    }
  }
  if (key === undefined)
    throw new Error('this identity is none of the recipients; use the key that the file was sealed to');
  const dataKey = key;
  const sum = createHash('sha512');
  const plain = map(
    walk(
      sealed,
      [],
      false,
      (leaf, aad) => {
        const value = open(dataKey, leaf, aad);
        sum.update(value);
        return value;
      },
      (leaf) => void sum.update(leaf),
    ),
  );
  if (!mac) return plain;
  const expected = open(dataKey, text(map(sops).mac), text(map(sops).lastmodified));
  if (sum.digest('hex').toUpperCase() !== expected)
    throw new Error('the MAC does not match: a value was added, removed or moved; seal it again');
  return plain;
}

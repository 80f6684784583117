import type { Readable } from 'node:stream';
import type { Caller } from '../../shared/access/gate.ts';
import type { RouteContract } from '../../shared/contract/routes.ts';

/** What the middleware leaves for the handlers of one request. */
export interface BridgeEnv {
  /** From the Node server: the request's body. */
  Bindings: { incoming: Readable };
  Variables: {
    requestId: string;
    /** Absent where no route matched. */
    route?: RouteContract;
    caller: Caller;
    /** The body, read up to the route's limit. */
    rawBody: Uint8Array;
    /** Why it was refused, for the log. */
    refusal: string;
  };
}

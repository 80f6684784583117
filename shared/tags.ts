/**
 * Tag of the ledger snapshot that a data centre shares in its cache. A zone purge that names it beside the pages' tags
 * makes every data centre ask the ledger again within its next look, a quarter of a second later.
 */
export const LEDGER_TAG = 'porchlight-ledger';

import { z } from 'zod';

/** Every refusal, of the bridge as of the edge: a stable code, a sentence a person can act on, and the field that was wrong. */
export const ErrorBody = z
  .object({
    error: z.object({
      code: z.string().describe('Stable, machine-readable.'),
      message: z.string().describe('What, where, what to do.'),
      field: z.string().optional().describe('Path of the offending field, such as `tags.3`.'),
      requestId: z.string().optional(),
    }),
  })
  .meta({ id: 'Error', description: 'A refusal.' });
export type ErrorBody = z.infer<typeof ErrorBody>;

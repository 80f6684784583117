/** Another wording is another prompt: raise it with every change of what a model is told. */
export const PROMPT_VERSION = 'notes-1';

import { type components, createWatchParty, ProblemError } from 'watchparty-client';

type Schemas = components['schemas'];
export type Movie = Schemas['Movie'];
export type Room = Schemas['Room'];
export type Message = Schemas['Message'];

/** Called when the sign-in has ended by itself. */
let whenSignedOut = () => {};
export function onSignedOut(action: () => void): void {
  whenSignedOut = action;
}

export const api = createWatchParty({
  baseUrl: `${location.origin}/api`, storage: localStorage, onSignedOut: () => whenSignedOut(),
});

/** What people read when something did not work. */
export function explain(error: unknown): string {
  if (error instanceof ProblemError) {
    const fields = error.errors.map(({ field, message }) => `${field.replaceAll('_', ' ')} ${message}.`);
    return fields.length > 0 ? capital(fields.join(' ')) : error.message;
  }
  if (error instanceof TypeError) return 'The server cannot be reached. Is the network there?';
  return error instanceof Error ? error.message : String(error);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The movies of the catalogue that can be played. */
export async function playableMovies(search = ''): Promise<Movie[]> {
  const { data } = await api.GET('/movies', { params: { query: { limit: 100, ...(search && { q: search }) } } });
  return data.data.filter(({ stream_url }) => stream_url !== null);
}

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
  if (error instanceof TypeError) return 'The server cannot be reached. Check your network connection.';
  return error instanceof Error ? error.message : String(error);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What differs from how it was. A form sends nothing else, so that what others have changed meanwhile stays. */
export function changes<T extends object>(was: T, is: T): Partial<T> {
  return Object.fromEntries(Object.entries(is).filter(([name, value]) => was[name as keyof T] !== value)) as Partial<T>;
}

const pageSize = 100;
/** How many pages of the catalogue are read to find movies that can be played. */
const maxPages = 10;

/** Movies of the catalogue that can be played, a page of them at most. */
export async function playableMovies(search = '', signal?: AbortSignal): Promise<Movie[]> {
  const movies: Movie[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < maxPages && movies.length < pageSize; pages++) {
    const query: { limit: number; q?: string; cursor?: string } =
      { limit: pageSize, ...(search && { q: search }), ...(cursor && { cursor }) };
    const { data }: { data: Schemas['MovieList'] } = await api.GET('/movies', { params: { query }, ...(signal && { signal }) });
    movies.push(...data.data.filter(({ stream_url }) => stream_url !== null));
    cursor = data.next_cursor;
    if (!cursor) break;
  }
  return movies.slice(0, pageSize);
}

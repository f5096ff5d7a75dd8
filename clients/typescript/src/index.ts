import createClient from 'openapi-fetch';
import { type Calls, takesKey } from './calls.js';
import { ProblemError } from './problem.js';
import { type RetryLimits, type Send, withRetries } from './retry.js';
import type { components, paths } from './schema.js';
import { dropTokens, memoryStorage, readTokens, type TokenStorage, type Tokens, writeTokens } from './tokens.js';
import { type OnProgress, sendByXHR } from './xhr.js';

export { type FieldProblem, type ProblemCode, ProblemError } from './problem.js';
export type { components, operations, paths } from './schema.js';
export type { OnProgress, RetryLimits, TokenStorage };

export interface Options {
  /** The address of the API, with `/api`. */
  baseUrl: string;
  /** Keeps the sign-in. By default it ends with the page; `localStorage` keeps it, and shares it between tabs. */
  storage?: TokenStorage;
  retry?: RetryLimits;
  /** Called when a sign-in has ended by itself: it expired, or was ended elsewhere. */
  onSignedOut?: () => void;
}

export interface WatchParty extends Calls {
  /** The address of the API, with `/api`. */
  readonly baseUrl: string;
  /** Whether tokens are stored. */
  isSignedIn(): Promise<boolean>;
  /** The access token for a live connection. With `former`, a token that was refused or soon expires: a new one. */
  accessToken(former?: string): Promise<string | null>;
  /** Forgets the tokens, then ends the sign-in on the server. */
  signOut(): Promise<void>;
  /** Uploads an avatar. Progress is reported where there is XMLHttpRequest: in browsers. */
  uploadAvatar(file: Blob, options?: UploadOptions): Promise<components['schemas']['AvatarUpload']>;
}

export interface UploadOptions {
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

export function createWatchParty({ baseUrl, storage = memoryStorage(), retry, onSignedOut }: Options): WatchParty {
  const client = createClient<paths>({ baseUrl });
  client.use({
    onRequest({ request, schemaPath, options: { fetch } }) {
      if (request.method === 'POST' && takesKey(schemaPath) && !request.headers.has('Idempotency-Key')) {
        request.headers.set('Idempotency-Key', newKey());
      }
      return call(request, schemaPath, mayRepeat(request, schemaPath) ? withRetries(fetch, retry) : fetch);
    },
  });
  const calls = client as unknown as Calls; // what is no success is thrown below
  let renewal: Promise<Tokens | null> | undefined;

  async function call(request: Request, path: string, send: Send): Promise<Response> {
    const response = await (path.startsWith('/auth/') ? send(request) : sendSigned(request, send));
    if (!response.ok) throw await ProblemError.from(response);
    if (path === '/auth/register' || path === '/auth/login') {
      await writeTokens(storage, (await response.clone().json()).data);
    } else if (path === '/users/me' && request.method === 'DELETE') {
      await dropTokens(storage);
    }
    return response;
  }

  /** Sends with the access token, and once more with a new one if that is refused. */
  async function sendSigned(request: Request, send: Send): Promise<Response> {
    const tokens = await readTokens(storage);
    if (!tokens || request.headers.has('Authorization')) return send(request);
    const response = await send(sign(request.clone(), tokens));
    if (response.status !== 401) return response;
    const renewed = await renew(tokens);
    return renewed ? send(sign(request, renewed)) : response;
  }

  /** One exchange of tokens at a time serves all calls that wait for it. */
  function renew(refused: Tokens): Promise<Tokens | null> {
    renewal ??= exchange(refused).finally(() => {
      renewal = undefined;
    });
    return renewal;
  }

  /** Exchanges the stored tokens, unless another call or another tab has done so. Null: the sign-in has ended. */
  async function exchange(refused: Tokens): Promise<Tokens | null> {
    const stored = await readTokens(storage);
    if (stored?.access_token !== refused.access_token) return stored;
    let fresh: Tokens | null;
    try {
      const { data } = await calls.POST('/auth/refresh', { body: { refresh_token: stored.refresh_token } });
      fresh = data.data;
    } catch (error) {
      if (!(error instanceof ProblemError && error.status === 401)) throw error;
      fresh = null;
    }
    const now = await readTokens(storage);
    if (now?.refresh_token !== stored.refresh_token) return now; // somebody signed in or out, or another tab was faster
    if (fresh) {
      await writeTokens(storage, fresh);
    } else {
      await dropTokens(storage);
      onSignedOut?.();
    }
    return fresh;
  }

  return {
    baseUrl,
    GET: calls.GET,
    POST: calls.POST,
    PUT: calls.PUT,
    PATCH: calls.PATCH,
    DELETE: calls.DELETE,
    async isSignedIn() {
      return (await readTokens(storage)) !== null;
    },
    async accessToken(former) {
      const tokens = await readTokens(storage);
      return (tokens && tokens.access_token === former ? await renew(tokens) : tokens)?.access_token ?? null;
    },
    async signOut() {
      const tokens = await readTokens(storage);
      await dropTokens(storage);
      if (tokens) await calls.POST('/auth/logout', { body: { refresh_token: tokens.refresh_token } });
    },
    async uploadAvatar(file, { onProgress, signal } = {}) {
      const { data } = await calls.PUT('/users/me/avatar', {
        body: { avatar: file },
        bodySerializer: ({ avatar }) => {
          const form = new FormData();
          form.append('avatar', avatar);
          return form;
        },
        ...(signal && { signal }),
        ...(onProgress && typeof XMLHttpRequest !== 'undefined' && { fetch: sendByXHR(onProgress) }),
      });
      return data.data;
    },
  };
}

function sign(request: Request, { access_token }: Tokens): Request {
  request.headers.set('Authorization', `Bearer ${access_token}`);
  return request;
}

/**
  * Whether a request can be sent twice without a second effect. For 30 seconds, a refresh token can be used twice; a
  * sign-in can be ended twice.
 */
function mayRepeat(request: Request, path: string): boolean {
  return ['GET', 'HEAD', 'PUT', 'DELETE'].includes(request.method) || request.headers.has('Idempotency-Key') ||
    path === '/auth/refresh' || path === '/auth/logout';
}

/** A random key. crypto.randomUUID is missing on pages that are served over http. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

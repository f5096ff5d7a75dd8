import { retryAfter } from './problem.js';

export type Send = (request: Request) => Promise<Response>;

export interface RetryLimits {
  /** How often a request is sent at most. By default 4; 1 turns retries off. */
  attempts?: number;
  /** Seconds after which no further attempt begins. By default 20: less than the grace period of a refresh token. */
  seconds?: number;
}

const transient = new Set([429, 502, 503]);

/** Sends the request again after network errors, 429, 502 and 503. The caller knows that it may be repeated. */
export function withRetries(send: Send, { attempts = 4, seconds = 20 }: RetryLimits = {}): Send {
  return async (request) => {
    const deadline = Date.now() + seconds * 1000;
    for (let attempt = 1; ; attempt++) {
      const answer = await settle(send(request.clone()), request.signal);
      if (answer.response && !transient.has(answer.response.status)) return answer.response;
      const wait = pause(attempt, answer.response);
      if (attempt >= attempts || Date.now() + wait > deadline) return answer.response ?? Promise.reject(answer.error);
      await answer.response?.body?.cancel();
      await sleep(wait, request.signal);
    }
  };
}

/** Waits for the response, or for a network error. Whatever else goes wrong is thrown. */
async function settle(sent: Promise<Response>, signal: AbortSignal) {
  try {
    return { response: await sent, error: undefined };
  } catch (error) {
    if (signal.aborted || !(error instanceof TypeError)) throw error;
    return { response: undefined, error };
  }
}

/** Milliseconds: what the server asked for, else 250, 500, 1000…; up to half as much again, so that clients spread. */
function pause(attempt: number, response: Response | undefined): number {
  const asked = response && retryAfter(response);
  const base = asked === undefined ? 250 * 2 ** (attempt - 1) : asked * 1000;
  return base + Math.random() * Math.min(base / 2, 1000);
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

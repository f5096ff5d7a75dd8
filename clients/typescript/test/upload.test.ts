import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWatchParty } from '../src/index.js';
import { problem, startServer } from './server.js';

const picture = new Blob([new Uint8Array(1000).fill(7)], { type: 'image/png' });
const accepted = { status: 202, body: { data: { status: 'processing' } } } as const;

/** The part of XMLHttpRequest that the client uses, over fetch. */
class FakeXHR {
  static current: FakeXHR;
  responseType = '';
  status = 0;
  response: Blob | undefined;
  upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  onloadend?: () => void;
  #request: { method: string; url: string; headers: Record<string, string> } = { method: '', url: '', headers: {} };
  #answered: Headers = new Headers();
  #abort = new AbortController();

  constructor() {
    FakeXHR.current = this;
  }
  open(method: string, url: string) {
    Object.assign(this.#request, { method, url });
  }
  setRequestHeader(name: string, value: string) {
    this.#request.headers[name] = value;
  }
  getAllResponseHeaders() {
    return [...this.#answered].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  }
  abort() {
    this.#abort.abort();
  }
  async send(body: Blob) {
    const { method, url, headers } = this.#request;
    this.upload.onprogress?.({ loaded: body.size / 2, total: body.size });
    try {
      const answer = await fetch(url, { method, headers, body, signal: this.#abort.signal });
      this.status = answer.status;
      this.#answered = answer.headers;
      this.response = await answer.blob();
      this.upload.onprogress?.({ loaded: body.size, total: body.size });
      this.onload?.();
    } catch {
      if (this.#abort.signal.aborted) this.onabort?.();
      else this.onerror?.();
    }
    this.onloadend?.();
  }
}

test('without XMLHttpRequest an upload goes by fetch', async (t) => {
  const server = await startServer(() => accepted);
  t.after(server.close);
  const upload = await createWatchParty(server).uploadAvatar(picture, { onProgress: () => assert.fail() });
  assert.equal(upload.status, 'processing');
  assert.match(server.seen[0]?.body ?? '', /name="avatar"; filename="blob"\r\nContent-Type: image\/png/);
});

test('with XMLHttpRequest', async (t) => {
  Object.assign(globalThis, { XMLHttpRequest: FakeXHR });
  t.after(() => Reflect.deleteProperty(globalThis, 'XMLHttpRequest'));

  await t.test('an upload tells its progress, and is sent again', async (t) => {
    const server = await startServer((_, nth) => (nth === 1 ? 'break' : accepted));
    t.after(server.close);
    const parts: number[] = [];
    const upload = await createWatchParty(server).uploadAvatar(picture, { onProgress: (part) => parts.push(part) });
    assert.equal(upload.status, 'processing');
    assert.deepEqual(parts, [0.5, 0.5, 1]);
    assert.match(server.seen[1]?.body ?? '', /name="avatar"/);
  });

  await t.test('problems are those of other calls', async (t) => {
    const server = await startServer(() => problem(413, 'body_too_large', {}, { 'X-Request-Id': 'r-3' }));
    t.after(server.close);
    const upload = createWatchParty(server).uploadAvatar(picture, { onProgress: () => undefined });
    await assert.rejects(upload, { code: 'body_too_large', requestId: 'r-3' });
  });

  await t.test('a signal ends it', async (t) => {
    const abort = new AbortController();
    const server = await startServer(() => {
      abort.abort(new Error('enough'));
      return 'break';
    });
    t.after(server.close);
    const options = { onProgress: () => undefined, signal: abort.signal };
    await assert.rejects(createWatchParty(server).uploadAvatar(picture, options), /enough/);
    assert.equal(server.seen.length, 1);
  });
});

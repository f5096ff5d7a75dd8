import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createWatchParty, type Options, ProblemError, type TokenStorage } from '../src/index.js';
import { memoryStorage } from '../src/tokens.js';
import { type Answer, problem, type Seen, startServer } from './server.js';

const me = { data: { username: 'carol' } };
const ok: Answer = { status: 200, body: me };
const tokens = (n: number) => ({ access_token: `access-${n}`, refresh_token: `refresh-${n}` });
const signedIn = (n: number): Answer => ({ status: 200, body: { data: { ...tokens(n), expires_in: 900, user: {} } } });

async function setUp(t: TestContext, answer: (request: Seen, nth: number) => Answer, options: Partial<Options> = {}) {
  const server = await startServer(answer);
  t.after(server.close);
  return { server, api: createWatchParty({ baseUrl: server.baseUrl, ...options }) };
}

/** Storage that holds the tokens of a sign-in. */
async function storageWith(n: number): Promise<TokenStorage> {
  const storage = memoryStorage();
  await storage.setItem('watchparty', JSON.stringify(tokens(n)));
  return storage;
}

async function stored(storage: TokenStorage): Promise<unknown> {
  return JSON.parse((await storage.getItem('watchparty')) ?? 'null');
}

/** A server where access-2 is right, and refresh-1 yields it. */
const expired = ({ line, token }: Seen): Answer =>
  line === 'POST /auth/refresh' ? signedIn(2) : token === 'access-2' ? ok : problem(401, 'unauthenticated');

function isProblem(status: number, code: string) {
  return (error: unknown) => error instanceof ProblemError && error.status === status && error.code === code;
}

test('sign-in is kept and sent', async (t) => {
  const storage = memoryStorage();
  const { api, server } = await setUp(t, ({ line }) => (line === 'POST /auth/login' ? signedIn(1) : ok), { storage });
  assert.equal(await api.isSignedIn(), false);
  await api.POST('/auth/login', { body: { email: 'carol@example.org', password: 'correct horse' } });
  assert.deepEqual(await stored(storage), tokens(1));
  const { data } = await api.GET('/users/me');
  assert.equal(data.data.username, 'carol');
  assert.deepEqual(server.seen.map(({ token }) => token), [undefined, 'access-1']);
});

test('sign-out forgets the tokens first', async (t) => {
  const storage = await storageWith(1);
  const { api, server } = await setUp(t, () => problem(500, 'internal'), { storage });
  await assert.rejects(api.signOut(), isProblem(500, 'internal'));
  assert.equal(await api.isSignedIn(), false);
  assert.equal(server.seen[0]?.body, '{"refresh_token":"refresh-1"}');
});

test('calls at once share one exchange of tokens', async (t) => {
  const storage = await storageWith(1);
  const { api, server } = await setUp(t, expired, { storage });
  await Promise.all(Array.from({ length: 8 }, () => api.GET('/users/me')));
  assert.equal(server.count('POST /auth/refresh'), 1);
  assert.deepEqual(await stored(storage), tokens(2));
});

test('a request that was refused is sent again with its body', async (t) => {
  const { api, server } = await setUp(t, expired, { storage: await storageWith(1) });
  await api.PATCH('/users/me', { body: { display_name: 'Carol' } });
  const sent = server.seen.filter(({ line }) => line === 'PATCH /users/me');
  assert.deepEqual(sent.map(({ token, body }) => [token, body]), [
    ['access-1', '{"display_name":"Carol"}'],
    ['access-2', '{"display_name":"Carol"}'],
  ]);
});

test('two tabs exchange one token at once and stay signed in', async (t) => {
  const storage = await storageWith(1);
  let exchanges = 1;
  let signedOut = 0;
  const { api, server } = await setUp(t, ({ line, token }) => {
    if (line === 'POST /auth/refresh') return signedIn(++exchanges);
    return token === 'access-1' ? problem(401, 'unauthenticated') : ok;
  }, { storage, onSignedOut: () => signedOut++ });
  const other = createWatchParty({ baseUrl: server.baseUrl, storage, onSignedOut: () => signedOut++ });
  await Promise.all([api.GET('/users/me'), other.GET('/users/me'), api.GET('/users/me/rooms')]);
  assert.ok(exchanges <= 3, 'one exchange a tab');
  assert.equal(signedOut, 0);
  const before = server.count('POST /auth/refresh');
  await Promise.all([api.GET('/users/me'), other.GET('/users/me')]);
  assert.equal(server.count('POST /auth/refresh'), before, 'both use what is stored');
});

test('tokens that another tab has exchanged are used without an exchange', async (t) => {
  const storage = await storageWith(1);
  const { api, server } = await setUp(t, ({ line, token }, nth) => {
    if (line === 'GET /users/me' && nth === 1) void storage.setItem('watchparty', JSON.stringify(tokens(2)));
    return token === 'access-2' ? ok : problem(401, 'unauthenticated');
  }, { storage });
  await api.GET('/users/me');
  assert.equal(server.count('POST /auth/refresh'), 0);
});

test('a sign-in that has ended is forgotten, and said once', async (t) => {
  const storage = await storageWith(1);
  let signedOut = 0;
  const { api } = await setUp(t, ({ line }) =>
    line === 'POST /auth/refresh' ? problem(401, 'bad_refresh_token') : problem(401, 'unauthenticated'),
    { storage, onSignedOut: () => signedOut++ });
  const calls = await Promise.allSettled([api.GET('/users/me'), api.GET('/users/me/rooms')]);
  for (const call of calls) {
    assert.ok(call.status === 'rejected' && isProblem(401, 'unauthenticated')(call.reason), 'the answer of the call');
  }
  assert.equal(await api.isSignedIn(), false);
  assert.equal(signedOut, 1);
});

test('a server that is away does not end the sign-in', async (t) => {
  const storage = await storageWith(1);
  const { api } = await setUp(t, ({ line }) =>
    line === 'POST /auth/refresh' ? problem(503, 'unavailable') : problem(401, 'unauthenticated'),
    { storage, retry: { attempts: 1 } });
  await assert.rejects(api.GET('/users/me'), isProblem(503, 'unavailable'));
  assert.deepEqual(await stored(storage), tokens(1));
});

test('an exchange whose answer is lost is repeated', async (t) => {
  const { api, server } = await setUp(t, (request, nth) =>
    request.line === 'POST /auth/refresh' && nth === 1 ? 'break' : expired(request),
    { storage: await storageWith(1) });
  await api.GET('/users/me');
  assert.equal(server.count('POST /auth/refresh'), 2);
});

test('a sign-in during an exchange wins over it', async (t) => {
  const storage = await storageWith(1);
  const { api } = await setUp(t, (request) => {
    if (request.line === 'POST /auth/refresh') void storage.setItem('watchparty', JSON.stringify(tokens(7)));
    return request.token === 'access-7' ? ok : expired(request);
  }, { storage });
  await api.GET('/users/me');
  assert.deepEqual(await stored(storage), tokens(7));
});

for (const [what, failure] of Object.entries<Answer>({
  'a broken connection': 'break',
  'a 429': problem(429, 'rate_limited', {}, { 'Retry-After': '0' }),
  'a 502 of a proxy': { status: 502, body: '<h1>Bad gateway</h1>' },
  'a 503': problem(503, 'busy', {}, { 'Retry-After': '1' }),
})) {
  test(`what may be repeated is, after ${what}`, async (t) => {
    const { api, server } = await setUp(t, (_, nth) => (nth === 1 ? failure : ok));
    const began = Date.now();
    await Promise.all([
      api.GET('/movies'),
      api.PUT('/users/me/password', { body: { current_password: 'a', new_password: 'b' } }),
      api.DELETE('/users/me/avatar'),
      api.POST('/rooms', { body: { name: 'Movie night' } }),
    ]);
    if (what === 'a 503') assert.ok(Date.now() - began >= 1000, 'not before the time that was asked for');
    assert.equal(server.seen.length, 8);
    const [first, second] = server.seen.filter(({ line }) => line === 'POST /rooms');
    assert.ok(first?.key && first.key === second?.key, 'the same key');
    assert.equal(second.body, '{"name":"Movie night"}');
  });

  test(`nothing else is, after ${what}`, async (t) => {
    const { api, server } = await setUp(t, () => failure);
    await assert.rejects(api.PATCH('/users/me', { body: { display_name: 'Carol' } }));
    await assert.rejects(api.POST('/auth/login', { body: { email: 'carol@example.org', password: 'x' } }));
    assert.equal(server.seen.length, 2);
  });
}

test('each thing has a key of its own, or that of the caller', async (t) => {
  const { api, server } = await setUp(t, () => ok);
  await api.POST('/rooms', { body: { name: 'One' } });
  await api.POST('/rooms', { body: { name: 'Two' } });
  await api.POST('/rooms', { body: { name: 'Three' }, params: { header: { 'Idempotency-Key': 'of-the-caller' } } });
  await api.POST('/auth/login', { body: { email: 'carol@example.org', password: 'x' } }).catch(() => undefined);
  const [one, two, three, login] = server.seen.map(({ key }) => key);
  assert.match(one ?? '', /^[0-9a-f]{32}$/);
  assert.notEqual(one, two);
  assert.deepEqual([three, login], ['of-the-caller', undefined]);
});

test('retries are bounded in number', async (t) => {
  const { api, server } = await setUp(t, () => problem(503, 'busy', {}, { 'Retry-After': '0' }));
  await assert.rejects(api.GET('/movies'), isProblem(503, 'busy'));
  assert.equal(server.seen.length, 4);
});

test('retries are bounded in time', async (t) => {
  const { api, server } = await setUp(t, () => problem(429, 'rate_limited', {}, { 'Retry-After': '600' }));
  await assert.rejects(api.GET('/movies'), (error: ProblemError) => error.retryAfter === 600);
  assert.equal(server.seen.length, 1);
});

test('a network error is that of fetch', async (t) => {
  const { api } = await setUp(t, () => 'break', { retry: { attempts: 2 } });
  await assert.rejects(api.GET('/movies'), TypeError);
});

test('a signal ends the wait for another attempt', async (t) => {
  const abort = new AbortController();
  const { api, server } = await setUp(t, () => {
    setTimeout(() => abort.abort(new Error('enough')), 50);
    return problem(503, 'busy', {}, { 'Retry-After': '10' });
  });
  await assert.rejects(api.GET('/movies', { signal: abort.signal }), /enough/);
  assert.equal(server.seen.length, 1);
});

test('a problem has what the server said', async (t) => {
  const errors = [{ field: 'name', code: 'too_short', message: 'is too short' }];
  const { api } = await setUp(t, () => problem(400, 'invalid_request', {
    detail: 'Some fields are wrong.', errors, details: { rooms: 3 }, request_id: 'r-1',
  }));
  await assert.rejects(api.POST('/rooms', { body: { name: '' } }), (error: ProblemError) => {
    assert.deepEqual({ ...error }, {
      name: 'ProblemError', status: 400, code: 'invalid_request', errors, details: { rooms: 3 }, requestId: 'r-1',
      retryAfter: undefined,
    });
    return error.message === 'Some fields are wrong.';
  });
});

test("a proxy's page is a problem, too", async (t) => {
  const { api } = await setUp(t, () => ({ status: 404, body: '<h1>Nothing</h1>', headers: { 'X-Request-Id': 'r-2' } }));
  await assert.rejects(api.GET('/movies'), (error: ProblemError) => {
    return error.code === 'unknown' && error.requestId === 'r-2' && error.message === 'HTTP status 404';
  });
});

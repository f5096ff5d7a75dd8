// What a front-end does with the client that is generated from the contract. The compiler checks that the types say
// what is used here; the run, that the server keeps them.
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

declare const process: { argv: string[] };

const api = createClient<paths>({ baseUrl: process.argv[2]! });
const name = `ts-${crypto.randomUUID().slice(0, 8)}`;

function must<T>(what: string, got: { data?: T; error?: unknown; response: Response }): T {
  if (got.data === undefined) throw new Error(`${what}: ${got.response.status} ${JSON.stringify(got.error)}`);
  return got.data;
}

function expect(what: string, ok: boolean): void {
  if (!ok) throw new Error(what);
}

const account = must('register', await api.POST('/auth/register', {
  body: { username: name, email: `${name}@people.example`, password: 'correct horse battery' },
})).data;
const headers = { Authorization: `Bearer ${account.access_token}` };

const key = crypto.randomUUID();
const open = () => api.POST('/rooms', {
  headers, params: { header: { 'Idempotency-Key': key } }, body: { name: 'Typed night', visibility: 'unlisted', capacity: 5 },
});
const room: components['schemas']['Room'] = must('create a room', await open()).data;
const again = await open();
expect('the key makes one room', must('create it again', again).data.id === room.id);
expect('a replay says so', again.response.headers.get('Idempotent-Replayed') === 'true');
expect('where it is', again.response.headers.get('Location') === `/api/rooms/${room.id}`);
expect('its host', room.host?.username === name && room.state === 'open');

const inRoom = { path: { room_id: room.id } };
const read = await api.GET('/rooms/{room_id}', { headers, params: inRoom });
const etag = read.response.headers.get('ETag')!;
const change = (slow: number) => api.PATCH('/rooms/{room_id}', {
  headers, params: { ...inRoom, header: { 'If-Match': etag } }, body: { slow_mode_seconds: slow, movie_id: null },
});
expect('slow mode', must('change the room', await change(1)).data.slow_mode_seconds === 1);
const late = await change(2);
expect('a lost change', late.response.status === 412 && late.error?.code === 'precondition_failed');

const said = must('say something', await api.POST('/chat/messages', { headers, body: { room_id: room.id, body: 'Hello 👋' } })).data;
const heard = must('read the chat', await api.GET('/chat/messages', { params: { query: { room_id: room.id, limit: 5 } } }));
expect('what was said', heard.data[0]?.body === said.body && heard.data[0]?.author?.username === name && heard.newer_cursor !== null);
const standing = must('look at the standing', await api.GET('/rooms/{room_id}/me', { headers, params: inRoom })).data;
expect('a host may ban', standing.role === 'host' && standing.permissions.includes('ban'));

const refused = await api.POST('/rooms', { headers, body: { name: '', capacity: 1 } });
expect('the fields that are wrong', refused.error?.errors?.map((e) => e.field).sort().join() === 'capacity,name');

expect('leave for good', (await api.DELETE('/users/me', { headers, body: { password: 'correct horse battery' } })).response.status === 204);
expect('gone', (await api.GET('/users/me', { headers })).response.status === 401);
console.log('the generated client works');

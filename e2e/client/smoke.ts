// What a front-end does with the installed client. Compiling it checks the types; running it checks that the server
// answers as they say. It follows the first session of the README.
import { type components, createWatchParty, ProblemError } from 'watchparty-client';

declare const process: { argv: string[] };

const api = createWatchParty({ baseUrl: process.argv[2]! });
const name = `ts-${Math.random().toString(36).slice(2, 10)}`;
const password = 'correct horse battery';

function expect(what: string, ok: boolean): void {
  if (!ok) throw new Error(what);
}

/** Waits for the problem that a call is refused with. */
async function refusal(what: string, call: Promise<unknown>): Promise<ProblemError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error(`${what}: was not refused`);
}

await api.POST('/auth/register', { body: { username: name, email: `${name}@people.example`, password } });
expect('signed in', await api.isSignedIn());

const movies = (await api.GET('/movies', { params: { query: { q: 'metropolis' } } })).data;
const key = `night-${name}`;
const open = () => api.POST('/rooms', {
  params: { header: { 'Idempotency-Key': key } },
  body: { name: 'Typed night', visibility: 'unlisted', capacity: 5, movie_id: movies.data[0]?.id },
});
const first = await open();
const room: components['schemas']['Room'] = first.data.data;
const again = await open();
expect('the key makes one room', again.data.data.id === room.id);
expect('a replay says so', again.response.headers.get('Idempotent-Replayed') === 'true');
expect('where it is', again.response.headers.get('Location') === `/api/rooms/${room.id}`);
expect('its host', room.host?.username === name && room.state === 'open');

const inRoom = { path: { room_id: room.id } };
const read = await api.GET('/rooms/{room_id}', { params: inRoom });
const etag = read.response.headers.get('ETag')!;
const change = (slow: number) => api.PATCH('/rooms/{room_id}', {
  params: { ...inRoom, header: { 'If-Match': etag } }, body: { slow_mode_seconds: slow, movie_id: null },
});
expect('slow mode', (await change(1)).data.data.slow_mode_seconds === 1);
const late = await refusal('a lost change', change(2));
expect('a lost change', late.status === 412 && late.code === 'precondition_failed' && late.requestId !== undefined);

const said = (await api.POST('/chat/messages', { body: { room_id: room.id, body: 'Hello 👋' } })).data.data;
const heard = (await api.GET('/chat/messages', { params: { query: { room_id: room.id, limit: 5 } } })).data;
expect('what was said', heard.data[0]?.body === said.body && heard.data[0]?.author?.username === name);
expect('where to go on', heard.newer_cursor !== null);
const standing = (await api.GET('/rooms/{room_id}/me', { params: inRoom })).data.data;
expect('a host may ban', standing.role === 'host' && standing.permissions.includes('ban'));

const refused = await refusal('a wrong room', api.POST('/rooms', { body: { name: '', capacity: 1 } }));
expect('the fields that are wrong', refused.errors.map(({ field }) => field).sort().join() === 'capacity,name');

const picture = Uint8Array.from(atob(process.argv[3]!), (character) => character.charCodeAt(0));
await api.uploadAvatar(new Blob([picture]));
let upload = (await api.GET('/users/me/avatar')).data.data;
for (let i = 0; upload.status === 'processing' && i < 600; i++) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  upload = (await api.GET('/users/me/avatar')).data.data;
}
expect('the avatar is ready', upload.status === 'ready');
const { avatar } = (await api.GET('/users/{username}', { params: { path: { username: name } } })).data.data;
expect('a picture of their own', !avatar.default && avatar.thumbnail.startsWith('http'));

await api.DELETE('/users/me', { body: { password } });
expect('signed out', !(await api.isSignedIn()));
expect('gone', (await refusal('the own account', api.GET('/users/me'))).status === 401);
console.log('the client works');

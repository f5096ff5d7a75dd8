import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseYaml } from '@redocly/openapi-core';
import { CommandError, LiveRoom } from '../src/live/index.js';
import { person, settle, state, welcome, World } from './world.js';

/** A sign-in with tokens 1, 2, … until they are used up. */
class Tokens {
  readonly baseUrl = 'https://watch.example/api';
  exchanges = 0;
  isAway = false;

  constructor(private readonly supply = 9) {}

  get current(): string | null {
    return this.exchanges < this.supply ? `token-${this.exchanges + 1}` : null;
  }

  async accessToken(former?: string): Promise<string | null> {
    if (this.isAway) throw new TypeError('The network failed.');
    if (former !== undefined && former === this.current) this.exchanges++;
    return this.current;
  }
}

async function open(tokens = new Tokens(), world = new World()) {
  const room = new LiveRoom(tokens, 'room-1', world);
  await settle();
  world.socket.onopen?.();
  world.socket.receive(welcome);
  return { room, world, tokens };
}

test('the first message signs in', async () => {
  const world = new World();
  const room = new LiveRoom(new Tokens(), 'room 1', world);
  assert.equal(room.phase, 'connecting');
  await settle();
  const { socket } = world;
  const told: string[] = [];
  for (const name of ['phase', 'state', 'members', 'people', 'place', 'room', 'queue'] as const) {
    room.on(name, () => told.push(name));
  }
  assert.equal(socket.url, 'wss://watch.example/api/rooms/room%201/live');
  assert.equal(socket.protocol, 'watchparty.v1');
  assert.deepEqual(socket.sent, []);
  socket.onopen?.();
  assert.deepEqual(socket.sent, [{ t: 'hello', token: 'token-1' }]);
  socket.receive(welcome);
  assert.equal(room.phase, 'open');
  assert.equal(room.state?.revision, 41);
  assert.equal(room.room?.name, 'Film night');
  assert.deepEqual(told, ['phase', 'state', 'members', 'people', 'place', 'room', 'queue']);
});

test('without a sign-in there is no connection', async () => {
  const world = new World();
  const room = new LiveRoom(new Tokens(0), 'room-1', world);
  await settle();
  assert.deepEqual([room.phase, room.end?.reason, world.sockets.length], ['closed', 'signed_out', 0]);
});

test('the clock is measured six times at once, and tells the time of the server', async () => {
  const { room, world } = await open();
  assert.equal(room.serverTime(), undefined);
  await world.pass(550);
  assert.deepEqual(world.socket.named('clock').map(({ c0 }) => c0), [1000, 1100, 1200, 1300, 1400, 1500]);
  world.time = 1540;
  world.socket.receive({ t: 'clock', c0: 1500, s1: 50_520, s2: 50_520, c3: 0 } as never);
  assert.equal(room.serverTime(), 50_540);
  world.socket.receive({ t: 'clock_changed' });
  assert.equal(room.serverTime(), undefined);
  assert.equal(world.socket.named('clock').length, 7, 'it measures anew');
});

test('only newer states count', async () => {
  const { room, world } = await open();
  const seen: number[] = [];
  room.on('state', ({ revision }) => seen.push(revision));
  world.socket.receive({ t: 'state', ...state, revision: 40 });
  world.socket.receive({ t: 'state', ...state, revision: 41 });
  world.socket.receive({ t: 'state', ...state, revision: 43 });
  world.socket.receive({ t: 'state', ...state, revision: 42 });
  world.socket.receive({ t: 'error', code: 'playback_stale', message: '', state: { ...state, revision: 44 } });
  assert.deepEqual(seen, [43, 44]);
  world.socket.lose(1012);
  await world.pass(1_000);
  world.socket.onopen?.();
  world.socket.receive(welcome);
  assert.equal(room.state?.revision, 44, 'a welcome that was sent earlier');
});

test('at the same revision, the state with the newer version of the movie counts', async () => {
  const { room, world } = await open();
  const seen: unknown[] = [];
  room.on('state', ({ revision, media }) => seen.push([revision, media?.version]));
  const at = (revision: number, version: number) =>
    world.socket.receive({ t: 'state', ...state, revision, media: { ...state.media!, version } });
  at(41, 2);
  at(41, 1);
  at(41, 2);
  at(40, 3);
  at(41, 3);
  at(42, 3);
  assert.deepEqual(seen, [[41, 2], [41, 3], [42, 3]]);
  world.socket.receive({ t: 'state', ...state, revision: 43, state: 'idle', media: null });
  world.socket.receive({ t: 'state', ...state, revision: 44 });
  assert.equal(room.state?.revision, 44, 'another movie may have a lower version');
});

test('commands have an ID and the epoch, and are answered', async () => {
  const { room, world } = await open();
  const pause = room.command({ t: 'pause', position_ms: 1234 });
  const seek = room.command({ t: 'seek', position_ms: 5 });
  const [first, second] = [...world.socket.named('pause'), ...world.socket.named('seek')];
  assert.match(first?.id ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(first?.id, second?.id);
  assert.deepEqual(first, { t: 'pause', position_ms: 1234, id: first?.id, epoch: 7, revision: 41 });
  world.socket.receive({ t: 'error', id: second!.id, code: 'rate_limited', message: 'Slower.', retry_after_ms: 200 });
  world.socket.receive({ t: 'ack', id: first!.id, revision: 42 });
  assert.equal(await pause, 42);
  await assert.rejects(seek, (error: CommandError) => error.code === 'rate_limited' && error.retryAfter === 200);
});

test('of many seeks only some are sent, and always the last one, before what comes after it', async () => {
  const { room, world } = await open();
  const outcomes: string[] = [];
  const seek = (position: number) => room.command({ t: 'seek', position_ms: position }).then(
    () => outcomes.push('applied'), (error: CommandError) => outcomes.push(error.code));
  for (let i = 1; i <= 100; i++) { // a key that is held
    void seek(i);
    await world.pass(30);
  }
  await world.pass(1_000);
  const sent = world.socket.named('seek');
  assert.ok(sent.length > 5 && sent.length <= 13, `${sent.length} in 3 seconds`);
  assert.deepEqual([sent[0]?.position_ms, sent.at(-1)?.position_ms], [1, 100]);
  assert.equal(outcomes.filter((outcome) => outcome === 'superseded').length, 100 - sent.length);
  void seek(101);
  void seek(102);
  room.command({ t: 'pause' }).catch(() => undefined);
  const last = world.socket.sent.filter(({ t }) => t === 'seek' || t === 'pause').slice(-3);
  assert.deepEqual(last.map((m) => (m.t === 'seek' ? m.position_ms : m.t)), [101, 102, 'pause']);
  void seek(103);
  room.close();
  await world.pass(0);
  assert.equal(outcomes.at(-1), 'disconnected');
});

test('a command whose answer is lost is sent again with its ID, and not for ever', async () => {
  const { room, world } = await open();
  const play = room.command({ t: 'play' });
  const [sent] = world.socket.named('play');
  world.socket.lose(1006);
  await assert.rejects(room.command({ t: 'play' }), (error: CommandError) => error.code === 'disconnected');
  await world.pass(1_000);
  world.socket.onopen?.();
  world.socket.receive(welcome);
  assert.deepEqual(world.socket.named('play'), [sent]);
  world.socket.receive({ t: 'ack', id: sent!.id, revision: 50 });
  assert.equal(await play, 50);
  const lost = assert.rejects(room.command({ t: 'stop' }), (error: CommandError) => error.code === 'disconnected');
  await world.pass(10_000);
  await lost;
});

for (const code of [1000, 1003, 1009, 4400, 4403, 4404, 4409, 4410]) {
  test(`${code} is final`, async () => {
    const { room, world } = await open();
    const command = assert.rejects(room.command({ t: 'play' }), CommandError);
    world.socket.lose(code, 'why');
    await command;
    await world.pass(100_000);
    room.wake();
    room.reconnect();
    await settle();
    assert.deepEqual([room.phase, room.end], ['closed', { code, reason: 'why' }]);
    assert.equal(world.sockets.length, 1);
  });
}

for (const code of [1006, 1011, 1012, 1013, 4408, 4413, 4429]) {
  test(`after ${code} it connects again, later each time, and at another time than others`, async () => {
    const { room, world } = await open();
    const waits: number[] = [];
    const losses: unknown[] = [];
    room.on('loss', (loss) => losses.push(loss));
    for (const luck of [0.25, 0, 0, 0.999, 0.999, 0]) {
      world.luck = luck;
      const before = world.time;
      world.socket.lose(code, 'why');
      assert.equal(room.phase, 'reconnecting');
      const count = world.sockets.length;
      while (world.sockets.length === count) await world.pass(50);
      waits.push(Math.round((world.time - before) / 50) * 50);
    }
    assert.deepEqual(waits, [250, 1000, 2000, 8000, 10_000, 5000]);
    assert.deepEqual([losses.length, losses[5], room.loss], [6, room.loss, { code, reason: 'why' }]);
    world.socket.onopen?.();
    assert.equal(world.socket.named('hello')[0]?.resume, 'connection-1');
    world.socket.receive(welcome);
    assert.deepEqual([room.phase, room.loss], ['open', undefined]);
    world.luck = 0.5;
    world.socket.lose(code);
    const count = world.sockets.length;
    await world.pass(500);
    assert.equal(world.sockets.length, count + 1, 'a connection that was open begins anew');
  });
}

test('a refused token is exchanged first', async () => {
  const { room, world, tokens } = await open();
  world.socket.lose(4401);
  await world.pass(1_000);
  world.socket.onopen?.();
  assert.deepEqual(world.socket.named('hello')[0]?.token, 'token-2');
  assert.equal(tokens.exchanges, 1);
  world.socket.receive(welcome);
  assert.equal(room.phase, 'open');
});

test('a sign-in that has ended is final', async () => {
  const { room, world } = await open(new Tokens(1));
  world.socket.lose(4401);
  await world.pass(60_000);
  assert.deepEqual([room.phase, room.end?.reason, world.sockets.length], ['closed', 'signed_out', 1]);
});

test('tokens that are refused one after the other end it', async () => {
  const { room, world } = await open();
  for (let i = 0; i < 3; i++) {
    world.socket.lose(4401, 'unauthenticated');
    await world.pass(3_000);
  }
  assert.deepEqual([room.phase, room.end], ['closed', { code: 4401, reason: 'unauthenticated' }]);
  assert.equal(world.sockets.length, 3);
});

test('an API that is away does not end it', async () => {
  const { room, world, tokens } = await open();
  tokens.isAway = true;
  world.socket.lose(4401);
  await world.pass(30_000);
  assert.equal(world.sockets.length, 1);
  tokens.isAway = false;
  await world.pass(10_000);
  world.socket.onopen?.();
  world.socket.receive(welcome);
  assert.equal(room.phase, 'open');
});

test('a token that expires is renewed on the connection', async () => {
  const { world, tokens } = await open();
  tokens.isAway = true;
  world.socket.receive({ t: 'token_expiring', token_expires_ms: 0 });
  await settle();
  assert.deepEqual(world.socket.named('token'), []);
  tokens.isAway = false;
  await world.pass(5_000);
  assert.deepEqual(world.socket.named('token'), [{ t: 'token', access_token: 'token-2' }]);
  world.socket.receive({ t: 'token_expiring', token_expires_ms: 0 });
  await settle();
  assert.deepEqual(world.socket.named('token').at(-1), { t: 'token', access_token: 'token-3' });
});

test('a connection that says nothing is given up', async () => {
  const { room, world } = await open();
  await world.pass(7_999);
  assert.equal(room.phase, 'open');
  const { socket } = world;
  await world.pass(1);
  assert.equal(room.phase, 'reconnecting');
  assert.ok(socket.isClosed);
  socket.receive({ t: 'state', ...state, revision: 99 });
  assert.equal(room.state?.revision, 41, 'what comes on it later does not count');
  await world.pass(1_000);
  assert.equal(world.sockets.length, 2);
  await world.pass(8_000);
  await world.pass(2_000);
  assert.equal(world.sockets.length, 3, 'nor does one that does not open');
});

test('a network that changes has it connect at once', async () => {
  const { room, world } = await open();
  room.reconnect();
  await settle();
  assert.equal(world.sockets.length, 2);
  assert.ok(world.sockets[0]?.isClosed);
});

test('people come, change and go', async () => {
  const { room, world } = await open();
  const alice = { user: person('alice', 'Alice'), role: 'host', muted: false, connected: true } as const;
  world.socket.receive({ t: 'people', changed: [alice], left: [] });
  assert.deepEqual(room.people.map(({ user }) => user.id), ['bob', 'alice']);
  world.socket.receive({ t: 'people', changed: [{ ...alice, connected: false }], left: ['bob'] });
  assert.deepEqual(room.people, [{ ...alice, connected: false }]);
});

test('a connection that the server closes is sent nothing more', async () => {
  const { room, world } = await open();
  const { socket } = world;
  const count = socket.sent.length;
  socket.readyState = 2; // closing
  room.ready(1, 1);
  await world.pass(2_000);
  assert.equal(socket.sent.length, count);
});

test('what is closed says so, and is quiet', async () => {
  const { room, world } = await open();
  room.close();
  assert.deepEqual(world.socket.sent.at(-1), { t: 'bye' });
  assert.deepEqual([room.phase, room.end], ['closed', { code: 1000, reason: 'left' }]);
  const count = world.socket.sent.length;
  await world.pass(60_000);
  assert.equal(world.socket.sent.length, count);
});

test('listeners can be ended', async () => {
  const { room, world } = await open();
  let heard = 0;
  const end = room.on('message', () => heard++);
  const message = { t: 'message', message: { id: 'm' } } as never;
  world.socket.receive(message);
  end();
  world.socket.receive(message);
  assert.equal(heard, 1);
});

test('the types have every message of the contract', () => {
  const root = new URL('../../../', import.meta.url); // tests run in test/build/test
  const contract = parseYaml(readFileSync(new URL('../../api/live.yaml', root), 'utf8')) as {
    channels: { live: { messages: Record<string, unknown> } };
    components: { messages: Record<string, { payload: { $ref: string } }> };
  };
  const types = readFileSync(new URL('src/live/messages.ts', root), 'utf8');
  const names = Object.keys(contract.channels.live.messages);
  assert.ok(names.length > 20);
  for (const name of names) {
    const schema = contract.components.messages[name]?.payload.$ref.split('/').at(-1);
    assert.ok(types.includes(`Schemas['${schema}']`), `${name} (${schema}) is in messages.ts`);
  }
});

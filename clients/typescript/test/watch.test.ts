import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveRoom, type View, type WatchOptions, watchTogether } from '../src/live/index.js';
import type { PlaybackState, Status } from '../src/live/messages.js';
import { ahead, answerClock, Browser, FakeVideo } from './browser.js';
import { settle, state, welcome, World } from './world.js';

const signIn = { baseUrl: 'https://watch.example/api', accessToken: async () => 'token' };

type Change = Partial<Omit<PlaybackState, 'media'>> & { media?: Partial<PlaybackState['media'] & object> };

/** A page that watches a room, and what a test does to it. */
class Page {
  readonly world = new World();
  readonly browser = new Browser(this.world);
  readonly video = new FakeVideo(this.world);
  readonly room = new LiveRoom(signIn, 'room-1', this.world);
  readonly views: View[] = [];
  readonly watching;
  #state: PlaybackState = state;

  private constructor(options: WatchOptions) {
    this.watching = watchTogether(this.video.element, this.room,
      { onView: (view) => this.views.push(view), ...options });
  }

  /** Opens a room that plays: it is at its second 1, at the time 0 of this machine. */
  static async open(change: Change = {}, options: WatchOptions = {}): Promise<Page> {
    const page = new Page(options);
    await settle();
    page.#state = changed(state, change);
    await page.connect();
    return page;
  }

  async connect(): Promise<void> {
    const { socket } = this.world;
    answerClock(socket);
    socket.onopen?.();
    socket.receive({ ...welcome, state: this.#state });
    await this.world.pass(600); // in which it measures the clock
  }

  /** Opens a room whose movie this player plays with the others. */
  static async playing(change: Change = {}): Promise<Page> {
    const page = await Page.open(change);
    page.video.feed();
    await page.world.pass(5_000);
    assert.equal(page.video.paused, false);
    page.requireTogether();
    return page;
  }

  /** Has the room change. */
  becomes(change: Change): void {
    this.#state = changed(this.#state, { revision: this.#state.revision + 1, ...change });
    this.world.socket.receive({ t: 'state', ...this.#state });
  }

  /** Has an admin change the movie that plays. */
  edits(media: Change['media'] & object): void {
    this.#state = changed(this.#state, { media });
    this.world.socket.receive({ t: 'state', ...this.#state });
  }

  /** Has the room play another movie from its beginning. */
  plays(movie: string, media: Change['media'] = {}): void {
    const { epoch, cue } = this.#state;
    this.becomes({
      epoch: epoch + 1, cue: cue + 1, state: 'playing', position_ms: 0, at_ms: this.world.time + ahead,
      media: { stream_url: movie, ...media },
    });
  }

  get target(): number {
    const { position_ms, at_ms, rate } = this.#state;
    return position_ms + (this.world.time + ahead - at_ms) * rate;
  }

  requireTogether(): void {
    const difference = this.video.currentTime * 1000 - this.target;
    assert.ok(Math.abs(difference) <= 40, `${difference} ms apart`);
  }

  get statuses(): Status[] {
    return this.world.socket.named('status');
  }

  get view(): View {
    return this.watching.view;
  }
}

function changed(from: PlaybackState, { media, ...change }: Change): PlaybackState {
  return { ...from, ...change, media: from.media && { ...from.media, ...media } };
}

test('a player follows the room: it starts, pauses, seeks and goes on with it', async () => {
  const page = await Page.playing();
  const { video, world } = page;
  assert.equal(video.src, 'https://videos.example/m.webm');
  assert.deepEqual([video.preload, video.preservesPitch], ['auto', true]);
  page.becomes({ state: 'paused', position_ms: 4_200, at_ms: world.time + ahead });
  await world.pass(1_000);
  assert.deepEqual([video.paused, video.currentTime], [true, 4.2]);
  page.becomes({ state: 'paused', position_ms: 30_000, cue: 13, at_ms: world.time + ahead });
  await world.pass(1_000);
  assert.deepEqual([video.paused, video.currentTime], [true, 30]);
  page.becomes({ state: 'playing', at_ms: world.time + ahead });
  await world.pass(3_000);
  assert.equal(video.paused, false);
  page.requireTogether();
});

test('nothing that the player does by itself becomes a command', async () => {
  const page = await Page.playing();
  const { video, world } = page;
  const events = ['play', 'playing', 'pause', 'seeking', 'seeked', 'waiting', 'stalled', 'canplay', 'timeupdate',
    'ratechange', 'volumechange', 'ended', 'emptied', 'loadedmetadata', 'suspend', 'error'];
  video.fire(...events);
  video.pause();
  video.currentTime = 50;
  video.playbackRate = 2;
  await world.pass(3_000);
  video.jump(20); // which is corrected by a seek
  await world.pass(10_000);
  video.starve();
  await world.pass(5_000);
  video.feed();
  video.finish();
  page.browser.document.fire('visibilitychange');
  await world.pass(5_000);
  assert.deepEqual(new Set(world.socket.sent.map(({ t }) => t)), new Set(['hello', 'clock', 'status', 'ready']));
});

test('a player that a browser or a headset has paused goes on with the room', async () => {
  const page = await Page.playing();
  page.video.pause();
  await page.world.pass(2_000);
  assert.equal(page.video.paused, false);
  page.requireTogether();
});

test('a player that plays nothing before a gesture says so, and after it is where the room is then', async () => {
  const page = await Page.open();
  const { video, world } = page;
  video.refusals.push('NotAllowedError');
  video.feed();
  await world.pass(20_000);
  assert.deepEqual([video.paused, page.view.obstacle, video.refusals.length], [true, 'autoplay', 0]);
  assert.deepEqual([page.statuses.at(-1)?.blocked, page.views.at(-1)], [true, page.view]);
  page.watching.catchUp();
  await world.pass(3_000);
  assert.deepEqual([video.paused, page.view.obstacle, page.statuses.at(-1)?.blocked], [false, undefined, false]);
  assert.ok(page.target > 20_000);
  page.requireTogether();
});

test('a stream that cannot be played is an obstacle until there is another one', async () => {
  const page = await Page.open();
  const { video, world } = page;
  video.fire('error');
  await world.pass(2_000);
  assert.deepEqual([page.view.obstacle, page.statuses.at(-1)?.blocked], ['unplayable', true]);
  page.plays('https://videos.example/second.webm');
  assert.equal(page.view.obstacle, undefined);
  video.feed();
  await world.pass(3_000);
  assert.equal(video.paused, false);
  page.requireTogether();
});

test('a play that was interrupted by a pause is no obstacle', async () => {
  const page = await Page.open();
  page.video.refusals.push('AbortError');
  page.video.feed();
  await page.world.pass(15_000);
  assert.equal(page.view.obstacle, undefined);
  page.requireTogether();
});

for (const refusal of ['NotAllowedError', 'NotSupportedError']) {
  test(`a former movie's ${refusal} that comes late does not stop the new one`, async () => {
    const page = await Page.open({ state: 'paused' });
    const { video } = page;
    video.feed();
    await page.world.pass(1_000);
    video.refusals.push(refusal);
    page.becomes({ state: 'playing', at_ms: page.world.time + ahead });
    assert.equal(video.refusals.length, 0, 'it was told to play');
    page.plays('https://videos.example/second.webm');
    await settle();
    assert.equal(page.view.obstacle, undefined);
    video.feed();
    await page.world.pass(3_000);
    assert.equal(video.paused, false);
    page.requireTogether();
  });
}

test('each movie is loaded once, begins where the room is, and none is left when there is nothing to watch', async () => {
  const page = await Page.playing();
  const { video, world } = page;
  let loads = 0;
  video.addEventListener('emptied', () => loads++);
  page.becomes({ state: 'paused' });
  page.becomes({ state: 'playing', position_ms: 10_000, at_ms: world.time + ahead });
  assert.equal(loads, 0);
  page.plays('https://videos.example/second.webm');
  assert.deepEqual([loads, video.src, video.currentTime], [1, 'https://videos.example/second.webm', 0]);
  await world.pass(8_000);
  assert.equal(video.currentTime, 0, 'it has no data yet');
  video.feed();
  await world.pass(3_000);
  page.requireTogether();
  page.becomes({ state: 'idle', media: { stream_url: '' } });
  assert.deepEqual([loads, video.src, video.paused], [2, '', true]);
});

test('a stream that is replaced while it plays is loaded at the place of the room', async () => {
  const page = await Page.playing({ duration_ms: 600_000 });
  const { video, world } = page;
  const url = 'https://videos.example/better.webm';
  const reports = world.socket.named('ready').length;
  page.edits({ stream_url: url, version: 2 });
  assert.deepEqual([video.src, video.currentTime], [url, 0]);
  video.feed();
  await world.pass(5_000);
  assert.equal(video.paused, false);
  page.requireTogether();
  assert.equal(world.socket.named('ready').length, reports + 1, 'its duration may be another one');
});

test('subtitles and titles that are edited while a movie plays do not interrupt it', async () => {
  const page = await Page.playing({ duration_ms: 600_000 });
  let loads = 0;
  page.video.addEventListener('emptied', () => loads++);
  page.edits({ title: 'Another', subtitles: [{ language: 'en', url: '/better.vtt' }], version: 2 });
  await page.world.pass(1_000);
  assert.deepEqual([loads, page.video.paused], [0, false]);
  assert.equal(page.browser.document.files.at(-1)?.src, '/better.vtt');
  page.requireTogether();
});

test('a page without a stream is not waited for, and goes on with the room when there is one again', async () => {
  const page = await Page.playing({ duration_ms: 600_000 });
  const { video, world } = page;
  page.edits({ stream_url: '', version: 2 });
  await world.pass(3_000);
  assert.deepEqual([video.src, video.paused, page.statuses.at(-1)?.blocked], ['', true, true]);
  page.edits({ stream_url: 'https://videos.example/m.webm', version: 3 });
  video.feed();
  await world.pass(3_000);
  assert.deepEqual([video.paused, page.statuses.at(-1)?.blocked], [false, false]);
  page.requireTogether();
});

test('a page may load streams by itself', async () => {
  const loaded: string[] = [];
  const page = await Page.open({}, { load: (video, url) => {
    loaded.push(url);
    video.load();
  } });
  page.video.fire('error');
  page.plays('https://videos.example/second.m3u8');
  assert.deepEqual(loaded, ['https://videos.example/m.webm', 'https://videos.example/second.m3u8']);
  assert.deepEqual([page.view.obstacle, page.video.src], [undefined, '']);
  page.becomes({ state: 'idle', media: { stream_url: '' } });
  assert.equal(loaded.length, 2);
});

test('correction multiplies the rate of the room, and ends when the player is there', async () => {
  const page = await Page.playing({ rate: 1.5, duration_ms: 600_000 });
  const { video, world } = page;
  await world.pass(20_000);
  assert.equal(video.playbackRate, 1.5);
  for (const lag of [0.3, -0.3]) {
    video.jump(video.currentTime - lag);
    await world.pass(500);
    const part = (video.playbackRate / 1.5 - 1) * Math.sign(lag);
    assert.ok(part > 0 && part <= 0.1, `by ${part}`);
    await world.pass(30_000);
    assert.equal(video.playbackRate, 1.5);
    page.requireTogether();
  }
});

test('a player that is far off is moved', async () => {
  const page = await Page.playing();
  page.video.jump(30);
  await page.world.pass(3_000);
  page.requireTogether();
});

test('a player whose seeks do not help is left alone, until the person asks to catch up', async () => {
  const page = await Page.playing({ duration_ms: 600_000 });
  const { video, world } = page;
  let isLate = true;
  video.addEventListener('seeked', () => { if (isLate) video.jump(video.currentTime - 4); });
  video.jump(0);
  await world.pass(120_000);
  assert.deepEqual([page.view.gaveUp, (page.view.error ?? 0) > 1_000], [true, true]);
  isLate = false;
  await world.pass(10_000);
  assert.equal(page.view.gaveUp, true);
  page.watching.catchUp();
  await world.pass(20_000);
  assert.equal(page.view.gaveUp, false);
  page.requireTogether();
});

test('it is ready once for each cue, with the duration, and again for another server', async () => {
  const page = await Page.open({ state: 'waiting' });
  const { video, world } = page;
  assert.deepEqual(world.socket.named('ready'), []);
  video.feed(61.2345);
  await world.pass(3_000);
  assert.deepEqual(world.socket.named('ready'), [{ t: 'ready', epoch: 7, cue: 12, duration_ms: 61_235 }]);
  page.becomes({ cue: 13, position_ms: 40_000 });
  assert.equal(world.socket.named('ready').length, 1, 'it seeks');
  await world.pass(1_000);
  assert.deepEqual(world.socket.named('ready').at(-1), { t: 'ready', epoch: 7, cue: 13, duration_ms: 61_235 });
  world.socket.lose(1012);
  await world.pass(1_000);
  await page.connect();
  assert.deepEqual(world.socket.named('ready'), [{ t: 'ready', epoch: 7, cue: 13, duration_ms: 61_235 }]);
  assert.equal(world.socket.named('status').length, 1);
});

for (const { lasts, isReported } of [{ lasts: 1_800, isReported: false }, { lasts: 3_500, isReported: true }]) {
  test(`a stall of ${lasts} ms ${isReported ? 'is reported' : 'is not reported'}`, async () => {
    const page = await Page.playing();
    const { video, world } = page;
    const ready = world.socket.named('ready').length;
    video.starve();
    await world.pass(lasts);
    assert.deepEqual([page.view.stalled, page.statuses.at(-1)?.stalled], [isReported, isReported]);
    video.feed();
    await world.pass(5_000);
    assert.deepEqual([page.view.stalled, page.statuses.at(-1)?.stalled], [false, false]);
    assert.equal(page.statuses.some(({ stalled }) => stalled), isReported);
    assert.equal(world.socket.named('ready').length, ready + (isReported ? 1 : 0), 'that it has data again');
    page.requireTogether();
  });
}

test('a player without data does not stall while the room is paused, nor at its end', async () => {
  const page = await Page.playing();
  page.becomes({ state: 'paused' });
  page.video.starve();
  await page.world.pass(5_000);
  assert.equal(page.view.stalled, false);
  page.video.feed();
  page.plays('https://videos.example/second.webm');
  page.video.feed();
  await page.world.pass(5_000);
  page.video.finish();
  page.video.starve();
  await page.world.pass(5_000);
  assert.equal(page.view.stalled, false);
});

test('it says when the movie has ended', async () => {
  const page = await Page.playing({ duration_ms: null });
  const { video, world } = page;
  await world.pass(2_000);
  assert.equal(page.statuses.at(-1)?.ended, false);
  video.finish();
  await world.pass(1_000);
  assert.equal(page.statuses.at(-1)?.ended, true);
  page.becomes({ state: 'idle', media: { stream_url: '' } });
  const { length } = page.statuses;
  await world.pass(20_000);
  assert.equal(page.statuses.length, length, 'there is nothing to report of no movie');
});

test('a status is sent at once when it changes, but not more than once a second; otherwise each 10 s', async () => {
  const page = await Page.playing();
  const { world, video } = page;
  await world.pass(10_000);
  const before = page.statuses.length;
  await world.pass(20_000);
  assert.equal(page.statuses.length, before + 2);
  await world.pass(2_000);
  for (let i = 0; i < 30; i++) {
    page.watching.waitForMe = i % 2 === 0;
    video.muted = !video.muted;
    video.fire('volumechange');
    await world.pass(100);
  }
  assert.ok(page.statuses.length <= before + 6, `${page.statuses.length - before}`);
  page.watching.waitForMe = false;
  await world.pass(1_250);
  assert.deepEqual([page.watching.waitForMe, page.statuses.at(-1)?.wait_for_me], [false, false]);
});

test('one who neither sees nor hears the movie does not watch; one who comes back measures the clock anew', async () => {
  const page = await Page.playing();
  const { world, video, browser: { document } } = page;
  await world.pass(10_000);
  for (const { visibility, muted, watching } of [
    { visibility: 'hidden', muted: false, watching: true }, { visibility: 'hidden', muted: true, watching: false },
    { visibility: 'visible', muted: true, watching: true },
  ] as const) {
    document.visibilityState = visibility;
    video.muted = muted;
    const before = world.socket.named('clock').length;
    document.fire('visibilitychange');
    await world.pass(1_250);
    assert.equal(page.statuses.at(-1)?.watching, watching);
    assert.equal(world.socket.named('clock').length - before >= 6, visibility === 'visible');
  }
});

test('after a sleep the clock is measured anew, and the player is where the room is', async () => {
  const page = await Page.playing({ duration_ms: 600_000 });
  const { world, video } = page;
  await world.pass(10_000);
  const before = world.socket.named('clock').length;
  const at = video.currentTime;
  world.time += 60_000;
  video.jump(at);
  await world.pass(5_000);
  assert.ok(world.socket.named('clock').length - before >= 6);
  page.requireTogether();
});

test('a network that comes back has it connect at once', async () => {
  const page = await Page.playing();
  page.browser.window.fire('online');
  await settle();
  assert.equal(page.world.sockets.length, 2);
});

test('once it is stopped, nothing listens, waits or moves', async () => {
  const page = await Page.playing({ media: { subtitles: [{ language: 'en', url: '/en.vtt' }] } });
  const { video, world, room, watching, browser: { document, window } } = page;
  const targets = [video, document, window];
  assert.ok(targets.every((target) => target.countListeners() > 0));
  const { timers } = world;
  watching.stop();
  assert.deepEqual([video.paused, world.timers], [true, timers - 1]);
  assert.deepEqual([...targets, ...document.files].map((target) => target.countListeners()), [0, 0, 0, 0]);
  const { views: { length }, statuses } = page;
  page.plays('https://videos.example/second.webm');
  world.socket.lose(1012);
  await world.pass(1_000);
  await page.connect();
  watching.catchUp();
  watching.waitForMe = false;
  await world.pass(20_000);
  assert.deepEqual([video.src, video.paused], ['https://videos.example/m.webm', true]);
  assert.deepEqual([page.views.length, page.statuses], [length, []], `after ${statuses.length}`);
  room.close();
  assert.equal(world.timers, 0);
});

const english = { language: 'en', url: 'https://videos.example/en.vtt' };
const german = { language: 'de', url: 'https://videos.example/de.vtt' };

test('each language has a track with its own name and its cues, and none is shown unless it is chosen', async () => {
  const { video, browser: { document: { files } } } = await Page.open({ media: { subtitles: [english, german] } });
  assert.deepEqual(files.map(({ src, track }) => [src, track.mode]), [[english.url, 'hidden'], [german.url, 'hidden']]);
  files[1]?.arrive('Hallo', 'Und tschüss');
  files[0]?.arrive('Hello', 'And goodbye');
  assert.deepEqual(video.textTracks.map(({ label }) => label), ['English', 'Deutsch']);
  assert.deepEqual(video.textTracks.map(({ mode }) => mode), ['disabled', 'disabled']);
  for (const [i, expected] of [['Hello', 'And goodbye'], ['Hallo', 'Und tschüss']].entries()) {
    const track = video.textTracks[i]!;
    track.mode = 'showing';
    assert.deepEqual(track.shown, expected);
  }
});

test('a language whose code is unknown has its code as its name', async () => {
  const { video } = await Page.open({ media: { subtitles: [{ language: 'x', url: '/x.vtt' }] } });
  assert.deepEqual(video.textTracks.map(({ label }) => label), ['x']);
});

test('another movie has its own subtitles, without those of the former one, and without a second track', async () => {
  const page = await Page.open({ media: { subtitles: [english, german] } });
  const { video, browser: { document: { files } } } = page;
  files[0]?.arrive('First');
  files[1]?.arrive('Erster');
  page.plays('https://videos.example/second.webm', { subtitles: [german] });
  files[2]?.arrive('Zweiter');
  assert.equal(video.textTracks.length, 2);
  for (const track of video.textTracks) track.mode = 'showing';
  assert.deepEqual(video.textTracks.map(({ shown }) => shown), [[], ['Zweiter']]);
});

test('another movie of the same stream has its own subtitles', async () => {
  const page = await Page.open({ media: { subtitles: [english] } });
  const { video, browser: { document: { files } } } = page;
  files[0]?.arrive('First');
  page.plays(video.src, { subtitles: [german] });
  files[1]?.arrive('Zweiter');
  for (const track of video.textTracks) track.mode = 'showing';
  assert.deepEqual(video.textTracks.map(({ shown }) => shown), [[], ['Zweiter']]);
});

test('subtitles of a former movie that come late are not shown', async () => {
  const page = await Page.open({ media: { subtitles: [english] } });
  const { video, browser: { document: { files } } } = page;
  page.plays('https://videos.example/second.webm', { subtitles: [english] });
  files[1]?.arrive('Second');
  files[0]?.arrive('First');
  page.plays('https://videos.example/third.webm', { subtitles: [] });
  files[1]?.arrive('Second, again');
  video.textTracks[0]!.mode = 'showing';
  assert.deepEqual(video.textTracks.map(({ shown }) => shown), [[]]);
});

test('a page is told of subtitles that cannot be loaded, until there are others', async () => {
  const page = await Page.open({ media: { subtitles: [english, german] } });
  const { files } = page.browser.document;
  assert.deepEqual(page.view.failedSubtitles, []);
  files[1]?.fail();
  assert.deepEqual(page.view.failedSubtitles, ['de']);
  files[0]?.arrive('First');
  page.edits({ subtitles: [english, { ...german, url: '/better.vtt' }], version: 2 });
  assert.deepEqual(page.view.failedSubtitles, []);
  files[1]?.fail();
  assert.deepEqual(page.view.failedSubtitles, [], 'the former file');
});

test('the chosen language stays chosen: while its file is loaded, in the next movie, and after one without it', async () => {
  const page = await Page.open({ media: { subtitles: [english, german] } });
  const { video, browser: { document: { files } } } = page;
  video.textTracks[1]!.mode = 'showing';
  for (const file of files.splice(0)) file.arrive('First');
  assert.deepEqual([video.languagesShown, video.textTracks[1]?.shown], [['de'], ['First']]);
  page.plays('https://videos.example/second.webm', { subtitles: [english] });
  assert.deepEqual(video.textTracks[1]?.shown, []);
  for (const file of files.splice(0)) file.arrive('Second');
  page.becomes({ state: 'idle', media: { stream_url: '', subtitles: [] } });
  page.plays('https://videos.example/third.webm', { subtitles: [german, english] });
  for (const file of files.splice(0)) file.arrive('Third');
  assert.deepEqual([video.languagesShown, video.textTracks[1]?.shown], [['de'], ['Third']]);
});

import { getEventListeners, setMaxListeners } from 'node:events';
import { mock } from 'node:test';
import type { FakeSocket, World } from './world.js';

setMaxListeners(100); // Node warns of signals that end more listeners than this

/** A target that counts its listeners. */
class Target extends EventTarget {
  readonly #types = new Set<string>();

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.#types.add(args[0]);
    super.addEventListener(...args);
  }

  countListeners(): number {
    return [...this.#types].reduce((sum, type) => sum + getEventListeners(this, type).length, 0);
  }

  fire(...types: string[]): void {
    for (const type of types) this.dispatchEvent(new Event(type));
  }
}

/** A text track, which shows its cues to nobody while it is disabled. */
export class FakeTextTrack {
  mode: TextTrackMode = 'disabled';
  #cues: string[] = [];

  constructor(readonly label = '', readonly language = '') {}

  get cues(): string[] | null {
    return this.mode === 'disabled' ? null : this.#cues;
  }

  get shown(): string[] {
    return this.mode === 'showing' ? this.#cues : [];
  }

  addCue(cue: string): void {
    this.#cues.push(cue);
  }

  removeCue(cue: string): void {
    this.#cues = this.#cues.filter((other) => other !== cue);
  }
}

/** A file of subtitles that is loaded. */
class FakeTrackElement extends Target {
  src = '';
  readonly track = new FakeTextTrack();

  /** Ends the load. */
  arrive(...cues: string[]): void {
    for (const cue of cues) this.track.addCue(cue);
    this.fire('load');
  }

  /** Cannot be loaded. */
  fail(): void {
    this.fire('error');
  }
}

const seekTime = 40;

/** A video element that plays by the time of the world. */
export class FakeVideo extends Target {
  src = '';
  duration = NaN;
  readyState = 0;
  paused = true;
  ended = false;
  seeking = false;
  muted = false;
  preload = '';
  preservesPitch = false;
  readonly textTracks: FakeTextTrack[] = [];
  /** The names of the errors with which it refuses to play. */
  readonly refusals: string[] = [];
  #rate = 1;
  #position = 0;
  #since = 0;

  constructor(private readonly world: World) {
    super();
  }

  get element(): HTMLVideoElement {
    return this as unknown as HTMLVideoElement;
  }

  get currentTime(): number {
    const moves = !this.paused && !this.ended && !this.seeking && this.readyState >= 3;
    return this.#position + (moves ? ((this.world.time - this.#since) / 1000) * this.#rate : 0);
  }

  set currentTime(seconds: number) {
    this.jump(seconds);
    this.seeking = true;
    this.fire('seeking');
    this.world.after(seekTime, () => {
      this.#change(() => { this.seeking = false; });
      this.fire('seeked', 'canplay');
    });
  }

  get playbackRate(): number {
    return this.#rate;
  }

  set playbackRate(rate: number) {
    this.#change(() => { this.#rate = rate; });
    this.fire('ratechange');
  }

  play(): Promise<void> {
    const name = this.refusals.shift();
    if (name) return Promise.reject(new DOMException('', name));
    this.#change(() => { this.paused = false; });
    this.fire('play', 'playing');
    return Promise.resolve();
  }

  pause(): void {
    this.#change(() => { this.paused = true; });
    this.fire('pause');
  }

  /** Forgets what it has played, as browsers do. */
  load(): void {
    this.jump(0);
    Object.assign(this, { readyState: 0, duration: NaN, paused: true, ended: false, seeking: false });
    this.#rate = 1;
    this.fire('emptied');
  }

  removeAttribute(name: string): void {
    if (name === 'src') this.src = '';
  }

  addTextTrack(_kind: string, label: string, language: string): FakeTextTrack {
    const track = new FakeTextTrack(label, language);
    track.mode = 'hidden';
    this.textTracks.push(track);
    return track;
  }

  /** Has data, and goes on if it was to play. */
  feed(seconds = 60): void {
    this.#change(() => { this.readyState = 4; });
    this.duration = seconds;
    this.fire('loadedmetadata', 'canplay');
  }

  /** Has no data any more. */
  starve(): void {
    this.#change(() => { this.readyState = 2; });
    this.fire('waiting');
  }

  /** Comes to its end. */
  finish(): void {
    this.jump(this.duration);
    this.paused = this.ended = true;
    this.fire('pause', 'ended');
  }

  /** Is at another position without having been told, as a player that lags. */
  jump(seconds: number): void {
    this.#change(() => {});
    this.#position = seconds;
  }

  get languagesShown(): string[] {
    return this.textTracks.filter(({ mode }) => mode === 'showing').map(({ language }) => language);
  }

  #change(how: () => void): void {
    this.#position = this.currentTime;
    this.#since = this.world.time;
    how();
  }
}

class FakeDocument extends Target {
  visibilityState: DocumentVisibilityState = 'visible';
  /** The files of subtitles that were asked for. */
  readonly files: FakeTrackElement[] = [];

  createElement(name: string): unknown {
    if (name !== 'track') return { appendChild: <T>(child: T) => child };
    const file = new FakeTrackElement();
    this.files.push(file);
    return file;
  }
}

/** What a page has besides its elements. Its time is the world's. */
export class Browser {
  readonly document = new FakeDocument();
  readonly window = new Target();

  constructor(world: World) {
    Object.assign(globalThis, {
      document: this.document,
      addEventListener: this.window.addEventListener.bind(this.window),
      HTMLMediaElement: { HAVE_METADATA: 1, HAVE_FUTURE_DATA: 3 },
    });
    mock.restoreAll();
    mock.method(performance, 'now', world.now);
    mock.method(globalThis, 'setTimeout', (action: () => void, milliseconds: number) =>
      world.after(milliseconds, action));
    mock.method(globalThis, 'clearTimeout', (cancel?: () => void) => cancel?.());
  }
}

/** How much the server's clock is ahead. */
export const ahead = 49_000;

/** Answers what the socket asks about the time. */
export function answerClock(socket: FakeSocket): void {
  socket.onsend = (message) => {
    if (message.t !== 'clock') return;
    const time = message.c0 + ahead;
    socket.receive({ t: 'clock', c0: message.c0, s1: time, s2: time, c3: 0 } as never);
  };
}

import type { LiveRoom } from './connection.js';
import { Follower, type Following } from './follower.js';
import type { PlaybackState } from './messages.js';
import { setSubtitles, type Subtitles } from './subtitles.js';
import { type Obstacle, VideoMedia } from './video.js';

/** What a page may show of how its player follows. */
export interface View {
  /** By how many milliseconds the player is behind the room (positive) or ahead; undefined unless both move. */
  error: number | undefined;
  /** Where the room is, in milliseconds; undefined when there is nothing to watch. */
  position: number | undefined;
  /** The player does not keep up, and was left alone: say how far behind it is, and offer `catchUp`. */
  gaveUp: boolean;
  /** `autoplay`: offer a button that calls `catchUp`, since browsers play after a gesture only. */
  obstacle: Obstacle | undefined;
  /** The player waits for data. */
  stalled: boolean;
  /** The languages whose subtitles could not be loaded. */
  failedSubtitles: readonly string[];
}

export interface Watching {
  readonly view: View;
  /** Whether the room waits for this person. */
  waitForMe: boolean;
  /** Tries again what was refused or given up. Call it in a handler of a click. */
  catchUp(): void;
  /** Lets the player go. */
  stop(): void;
}

export interface WatchOptions {
  onView?: (view: View) => void;
  /** Has the player load a stream that the browser does not play by itself, such as HLS. By default it is the `src`. */
  load?: (video: HTMLVideoElement, url: string) => void;
}

const tickGap = 250;
/** A gap between ticks beyond this means that the machine or the tab has slept. */
const slept = 2_000;
const stallTime = 2_000;
const statusGap = 1_000;
const statusTime = 10_000;

/**
 * Keeps a video together with a room, until it is stopped. Nothing that the player does by itself becomes a command.
 */
export function watchTogether(video: HTMLVideoElement, room: LiveRoom, options: WatchOptions = {}): Watching {
  return new Watch(video, room, options);
}

class Watch implements Watching {
  view: View = {
    error: undefined, position: undefined, gaveUp: false, obstacle: undefined, stalled: false, failedSubtitles: [],
  };

  readonly #media: VideoMedia;
  readonly #follower: Follower;
  readonly #abort = new AbortController();
  readonly #unsubscribe: (() => void)[];
  #waitForMe = true;
  #loaded = '';
  #subtitles = new AbortController();
  #subtitled: string | undefined;
  #failedSubtitles: readonly string[] = [];
  #state: PlaybackState | undefined;
  #lastTick = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #starvedSince: number | undefined;
  #readyCue = -1;
  #reported = '';
  #reportedAt = -Infinity;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly room: LiveRoom,
    private readonly options: WatchOptions,
  ) {
    this.#media = new VideoMedia(video, () => this.#tick());
    this.#follower = new Follower(this.#media);
    video.preservesPitch = true;
    video.preload = 'auto';
    const { signal } = this.#abort;
    const tick = () => this.#tick();
    for (const name of ['loadedmetadata', 'canplay', 'seeked', 'playing', 'waiting', 'pause', 'ended',
      'volumechange']) {
      video.addEventListener(name, tick, { signal });
    }
    video.addEventListener('error', () => this.#media.fail(), { signal });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') room.wake();
      this.#tick();
    }, { signal });
    addEventListener('online', () => room.reconnect(), { signal });
    this.#unsubscribe = [room.on('state', () => this.#take()), room.on('phase', () => this.#reconnected())];
    this.#take();
  }

  get waitForMe(): boolean {
    return this.#waitForMe;
  }

  set waitForMe(value: boolean) {
    this.#waitForMe = value;
    this.#tick();
  }

  catchUp(): void {
    this.#media.obstacle = undefined;
    this.#follower.retry();
    this.#tick();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#subtitles.abort();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.video.pause();
  }

  #take(): void {
    const { state } = this.room;
    if (!state) return;
    this.#state = state;
    const url = state.media?.stream_url ?? '';
    if (url !== this.#loaded) this.#load(url);
    this.#subtitle(state.media?.subtitles ?? []);
    this.#follower.set(state);
    this.#tick();
  }

  #load(url: string): void {
    this.#loaded = url;
    this.#readyCue = -1; // another stream may have another duration
    this.#starvedSince = undefined;
    this.#media.load(url, this.options.load);
    this.#follower.retry();
    this.#subtitled = undefined;
  }

  /** Two movies may have one stream and other subtitles. */
  #subtitle(subtitles: Subtitles): void {
    const content = JSON.stringify(subtitles);
    if (content === this.#subtitled) return;
    this.#subtitled = content;
    this.#subtitles.abort();
    this.#subtitles = new AbortController();
    this.#failedSubtitles = [];
    setSubtitles(this.video, subtitles, this.#subtitles.signal, (language) => {
      this.#failedSubtitles = [...this.#failedSubtitles, language];
      this.#tick();
    });
  }

  /** Reports everything again: the new connection may be to a process that does not know this player's status. */
  #reconnected(): void {
    if (this.room.phase !== 'open') return;
    this.#readyCue = -1;
    this.#reportedAt = -Infinity;
    this.#tick();
  }

  #tick(): void {
    if (this.#abort.signal.aborted) return;
    const now = performance.now();
    if (now - this.#lastTick > slept) this.room.wake();
    this.#lastTick = now;
    const time = this.room.serverTime();
    const hasStream = this.#loaded !== '' && this.video.readyState >= HTMLMediaElement.HAVE_METADATA;
    const following = time !== undefined && hasStream ? this.#follower.tick(now, time) : undefined;
    this.#show(now, following);
    this.#report(now, following);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tick(), Math.min(following?.nextTick ?? tickGap, tickGap));
  }

  #show(now: number, following: Following | undefined): void {
    const starved = this.#state?.state === 'playing' && !this.video.paused && !this.video.ended &&
      !this.#media.isReady();
    this.#starvedSince = starved ? (this.#starvedSince ?? now) : undefined;
    this.view = {
      error: following?.error,
      position: following?.target,
      gaveUp: following?.gaveUp ?? false,
      obstacle: this.#media.obstacle,
      stalled: this.#starvedSince !== undefined && now - this.#starvedSince > stallTime,
      failedSubtitles: this.#failedSubtitles,
    };
    this.options.onView?.(this.view);
  }

  #report(now: number, following: Following | undefined): void {
    const state = this.#state;
    if (!state || this.room.phase !== 'open' || state.state === 'idle') return;
    if (following?.isReady && state.cue !== this.#readyCue) {
      this.#readyCue = state.cue;
      const { duration } = this.video;
      this.room.ready(state.epoch, state.cue, Number.isFinite(duration) ? Math.round(duration * 1000) : undefined);
    }
    const { obstacle, stalled } = this.view;
    const status = {
      epoch: state.epoch,
      cue: state.cue,
      stalled,
      blocked: obstacle !== undefined || this.#loaded === '',
      watching: document.visibilityState === 'visible' || !this.video.muted,
      wait_for_me: this.#waitForMe,
      ended: this.video.ended,
    };
    const text = JSON.stringify(status);
    const gap = text === this.#reported ? statusTime : statusGap;
    if (now - this.#reportedAt < gap) return;
    this.#reported = text;
    this.#reportedAt = now;
    if (stalled) this.#readyCue = -1; // the room may wait until it has data again
    const { delay } = this.room.clock ?? {};
    this.room.report({
      ...status,
      position_ms: Math.round(this.#media.position()),
      ...(following?.error !== undefined && { drift_ms: -following.error }),
      ...(delay !== undefined && { rtt_ms: delay }),
    });
  }
}

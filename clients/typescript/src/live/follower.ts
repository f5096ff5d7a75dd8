import { type Anchor, differ, due, positionAt } from './anchor.js';
import { Corrector } from './correction.js';

/** A player. Positions are milliseconds. */
export interface Media {
  position(): number;
  isPaused(): boolean;
  /** Whether it could play on from where it is: it has data, and does not seek. */
  isReady(): boolean;
  /** Whether it moves: it was told to play, and has done so since its last seek. */
  isMoving(): boolean;
  seek(position: number): void;
  setRate(rate: number): void;
  play(): void;
  pause(): void;
}

/** How well the player follows. */
export interface Following {
  /** Where the room is. */
  target: number;
  /** By how much the player is behind (positive) or ahead, while both move. */
  error: number | undefined;
  gaveUp: boolean;
  /** Whether the player shows the room's position, and could play on. */
  isReady: boolean;
  /** In how many milliseconds the next tick should be, where it matters: the player starts then. */
  nextTick?: number;
}

/** A resting player is moved if its error is larger. */
const exactEnough = 1;
/** A player that would start later than this is sent ahead of the room first. */
const lateStart = 120;
/** A player that was sent ahead and is later than this is sent once more. */
const tooLate = 400;

/** Makes a player do what the room does. It gives no commands, and knows nothing of networks or pages. */
export class Follower {
  readonly #corrector = new Corrector();
  #anchor: Anchor | undefined;
  #aligned = false;
  #prepared = false;

  constructor(readonly media: Media) {}

  /** Takes a newer state of the room. */
  set(anchor: Anchor): void {
    if (!this.#anchor || differ(this.#anchor, anchor)) this.retry();
    this.#anchor = anchor;
  }

  /** Starts again: the player has another source, or the user asks to catch up. */
  retry(): void {
    this.#corrector.reset();
    this.#aligned = false;
    this.#prepared = false;
  }

  /** Compares and acts, at a time of the client and of the server. It may be called at any time, however rarely. */
  tick(now: number, serverTime: number): Following | undefined {
    if (!this.#anchor || this.#anchor.state === 'idle') {
      this.#stop();
      return undefined;
    }
    const anchor = due(this.#anchor, serverTime);
    if (this.media.isReady()) this.#corrector.arrived(now);
    const target = positionAt(anchor, serverTime);
    const wait = anchor.at_ms - this.#corrector.startTime - serverTime;
    if (anchor.state === 'playing' && wait <= 0) return this.#move(anchor, target, now, serverTime);
    this.#stop();
    this.#align(target, now);
    return this.#standing(target, anchor.state === 'playing' ? wait : undefined);
  }

  #standing(target: number, nextTick?: number): Following {
    const isReady = this.media.isReady();
    return { target, error: undefined, gaveUp: false, isReady, ...(nextTick !== undefined && { nextTick }) };
  }

  #stop(): void {
    if (!this.media.isPaused()) this.media.pause();
  }

  /** Seeks once for each anchor: players that miss by a little are not sent seeking again and again. */
  #align(target: number, now: number): void {
    if (this.#aligned) return;
    this.#aligned = true;
    if (Math.abs(target - this.media.position()) <= exactEnough) return;
    this.media.seek(target);
    this.#corrector.seeking(now);
  }

  #move(anchor: Anchor, target: number, now: number, serverTime: number): Following {
    const { media } = this;
    const ends = target >= (anchor.duration_ms ?? Infinity);
    if (media.isPaused()) {
      return this.#standing(target, ends ? undefined : this.#start(anchor, target, now, serverTime));
    }
    const moving = media.isMoving() && !ends;
    const actual = media.position();
    const { rate, seek, gaveUp } = this.#corrector.next({ now, target, actual, rate: anchor.rate, moving });
    media.setRate(rate);
    if (seek !== undefined) media.seek(seek);
    return { target, error: moving ? target - actual : undefined, gaveUp, isReady: media.isReady() };
  }

  /**
   * Starts the player so that it is where the room is. A player that is elsewhere is first sent ahead of the room, and
   * waits there until the room comes: how long its seek takes then matters little. Returns how long to wait, if so.
   */
  #start(anchor: Anchor, target: number, now: number, serverTime: number): number | undefined {
    const { media } = this;
    const early = Math.max(anchor.at_ms - serverTime, 0);
    const behind = (target - media.position()) / anchor.rate - early;
    const isFar = behind < -tooLate || behind + this.#corrector.startTime > lateStart;
    if (isFar && !this.#prepared) {
      this.#prepared = true;
      media.seek(target + this.#corrector.lead * anchor.rate);
      this.#corrector.seeking(now);
      return undefined;
    }
    if (!media.isReady()) return undefined;
    const wait = -behind - this.#corrector.startTime;
    if (wait > 0) return wait;
    media.setRate(anchor.rate);
    if (behind > tooLate) media.seek(this.#corrector.aim(target, anchor.rate));
    else this.#corrector.starting(behind);
    media.play();
    return undefined;
  }
}

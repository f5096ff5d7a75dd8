/** What a player shows, and what it should show. Times and positions are milliseconds. */
export interface Observation {
  /** The client's monotonic time. */
  now: number;
  /** Where the room is. */
  target: number;
  /** Where this player is. */
  actual: number;
  /** The room's rate. */
  rate: number;
  /** Whether the player moves: it neither seeks nor waits for data. */
  moving: boolean;
}

/** What to do. */
export interface Correction {
  /** The rate to play at. */
  rate: number;
  /** Where to seek, if anywhere. */
  seek?: number;
  /** Whether correction has been given up: say how far behind the player is, and offer to try again. */
  gaveUp: boolean;
}

/** Errors above this are corrected, until they are below `fine`. */
const coarse = 40;
const fine = 15;
/** Errors decay in about this time. */
const decay = 3_000;
const gentle = 0.05;
const firm = 0.1;
const firmAbove = 500;
/** Rates are changed in steps, since each change may be heard. */
const step = 0.005;

const seekAbove = 1_000;
const seekAboveWithoutRate = 400;
const firstSeekGap = 5_000;
const lastSeekGap = 30_000;
const calmAfter = 30_000;
const attempts = 3;
const maxDelay = 2_000;
/** A seek of a player that stands may have to load data, which says little about the next one. */
const maxStandingSeek = 1_000;
/** Until it is known how long seeks take. */
const firstLead = 600;
const minLead = 300;
const leadSpare = 50;
const seekVariation = 1.25;
/** A rate works if it has moved the player by at least a quarter of what it should have. Checked after this much. */
const proof = 200;

interface Pending {
  kind: 'seek' | 'start';
  /** The error that would be left if the seek or start took no time. */
  expected: number;
  /** The limit that the error was above, for a seek that corrects; 0 for one that was asked for. */
  limit: number;
}

/**
 * Keeps a player with its room: small errors by its rate, large ones by seeking, never by a command. It learns how long
 * the player takes to seek and to start, and aims ahead by that.
 */
export class Corrector {
  #correcting = false;
  #pending: Pending | undefined;
  #seekTime = 150;
  #seekKnown = false;
  #startTime = 60;
  #startKnown = false;
  /** When a player that stands was sent to another position, until it has arrived. */
  #standing: number | undefined;
  #lastSeek = -Infinity;
  #gap = firstSeekGap;
  #failures = 0;
  #rateWorks = true;
  #last: { now: number; rate: number } | undefined;
  #probe: { error: number; expected: number } | undefined;

  /** How long a start of this player takes. */
  get startTime(): number {
    return this.#startTime;
  }

  /** How far ahead of the room a player is sent that is to start there: its seek should have ended by then. */
  get lead(): number {
    if (!this.#seekKnown) return firstLead;
    return clamp(this.#seekTime * seekVariation + this.#startTime + leadSpare, minLead, maxDelay);
  }

  /** Notes that a player that stands is sent to another position. */
  seeking(now: number): void {
    this.#standing = now;
  }

  /** Notes that the player is ready. It may be called whenever it is. */
  arrived(now: number): void {
    if (this.#standing === undefined) return;
    const took = clamp(now - this.#standing, 0, maxStandingSeek);
    this.#seekTime = this.#seekKnown ? (this.#seekTime + took) / 2 : took;
    this.#seekKnown = true;
    this.#standing = undefined;
  }

  /** A command of the room, or a gesture of the user: what was given up is tried again. */
  reset(): void {
    this.#failures = 0;
    this.#gap = firstSeekGap;
    this.#lastSeek = -Infinity;
    this.#correcting = false;
    this.#forget();
  }

  /** Where to seek so that the player is at the target when it moves again. */
  aim(target: number, rate: number): number {
    this.#pending = { kind: 'seek', expected: -this.#seekTime, limit: 0 };
    this.#forget();
    return target + this.#seekTime * rate;
  }

  /** Notes that the player has been told to play, and how far behind it is then: negative when it is early. */
  starting(behind: number): void {
    this.#pending = { kind: 'start', expected: behind, limit: 0 };
    this.#forget();
  }

  next({ now, target, actual, rate, moving }: Observation): Correction {
    if (!moving) {
      this.#forget();
      return { rate, gaveUp: this.#failures >= attempts };
    }
    const error = target - actual;
    this.#learn(error / rate);
    this.#judgeRate(now, error / rate, rate);
    const limit = this.#rateWorks ? seekAbove : seekAboveWithoutRate;
    const size = Math.abs(error);
    if (size <= limit && this.#failures >= attempts) this.#failures = 0;
    const gaveUp = this.#failures >= attempts;
    if (size > limit && !gaveUp && now - this.#lastSeek >= this.#gap) return this.#seek(now, target, rate, limit);
    if (size <= coarse && now - this.#lastSeek >= calmAfter) this.#gap = firstSeekGap;
    this.#correcting = !gaveUp && this.#rateWorks && size > (this.#correcting ? fine : coarse);
    const chosen = this.#correcting ? rate * (1 + share(error / rate)) : rate;
    this.#last = { now, rate: chosen };
    this.#probe = this.#correcting ? (this.#probe ?? { error: error / rate, expected: 0 }) : undefined;
    return { rate: chosen, gaveUp };
  }

  #seek(now: number, target: number, rate: number, limit: number): Correction {
    if (this.#lastSeek > -Infinity) this.#gap = Math.min(this.#gap * 2, lastSeekGap);
    this.#lastSeek = now;
    this.#correcting = false;
    this.#forget();
    this.#pending = { kind: 'seek', expected: -this.#seekTime, limit };
    return { rate, seek: target + this.#seekTime * rate, gaveUp: false };
  }

  /** Learns how long the last seek or start took: by how much the error has grown beyond what was expected. */
  #learn(error: number): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (!pending) return;
    const took = clamp(error - pending.expected, 0, maxDelay);
    if (pending.kind === 'start') {
      this.#startTime = this.#startKnown ? (this.#startTime + took) / 2 : took;
      this.#startKnown = true;
      return;
    }
    this.#seekTime = this.#seekKnown ? (this.#seekTime + took) / 2 : took;
    this.#seekKnown = true;
    if (pending.limit > 0) this.#failures = Math.abs(error) <= pending.limit / 2 ? 0 : this.#failures + 1;
  }

  /** Compares what the rate should have done with what it did. */
  #judgeRate(now: number, error: number, rate: number): void {
    if (!this.#last || !this.#probe) return;
    this.#probe.expected += (this.#last.rate / rate - 1) * (now - this.#last.now);
    if (Math.abs(this.#probe.expected) < proof) return;
    if ((this.#probe.error - error) / this.#probe.expected < 0.25) this.#rateWorks = false;
    this.#probe = undefined;
  }

  #forget(): void {
    this.#last = undefined;
    this.#probe = undefined;
  }
}

/** By which part the rate changes, for an error. */
function share(error: number): number {
  const most = Math.abs(error) > firmAbove ? firm : gentle;
  return Math.round(clamp(error / decay, -most, most) / step) * step;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

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

/** Correction starts above this error. */
const coarseError = 40;
/** Correction ends below this error. */
const fineError = 15;
/** The time in which a corrected error decays. */
const errorDecay = 3_000;
const gentleShare = 0.05;
const firmShare = 0.1;
const firmAbove = 500;
/** Rates are changed in steps, since each change may be heard. */
const rateStep = 0.005;

const seekAbove = 1_000;
const seekAboveWithoutRate = 400;
const firstSeekGap = 5_000;
const lastSeekGap = 30_000;
const calmAfter = 30_000;
const seekAttempts = 3;
const maxSeekTime = 2_000;
/** Limits what is learnt from a seek of a resting player: it may have to load data, which is no measure of the next. */
const maxStandingSeek = 1_000;
/** Until it is known how long seeks take. */
const firstLead = 600;
const minLead = 300;
const leadSpare = 50;
const seekVariation = 1.25;
/** A rate works if it has moved the player by at least a quarter of what it should have. Checked after this much. */
const rateProof = 200;

interface PendingMove {
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
  #pending: PendingMove | undefined;
  #seekTime = 150;
  #seekKnown = false;
  #startTime = 60;
  #startKnown = false;
  /** When a resting player was told to seek, until it has arrived. */
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
    return clamp(this.#seekTime * seekVariation + this.#startTime + leadSpare, minLead, maxSeekTime);
  }

  /** Records that a resting player was told to seek. */
  seeking(now: number): void {
    this.#standing = now;
  }

  /** Records that a resting player is ready at its new position. It may be called whenever the player is ready. */
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
      return { rate, gaveUp: this.#failures >= seekAttempts };
    }
    const error = target - actual;
    this.#learn(error / rate);
    this.#judgeRate(now, error / rate, rate);
    const limit = this.#rateWorks ? seekAbove : seekAboveWithoutRate;
    const size = Math.abs(error);
    if (size <= limit && this.#failures >= seekAttempts) this.#failures = 0;
    const gaveUp = this.#failures >= seekAttempts;
    if (size > limit && !gaveUp && now - this.#lastSeek >= this.#gap) return this.#seek(now, target, rate, limit);
    if (size <= coarseError && now - this.#lastSeek >= calmAfter) this.#gap = firstSeekGap;
    this.#correcting = !gaveUp && this.#rateWorks && size > (this.#correcting ? fineError : coarseError);
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
    const took = clamp(error - pending.expected, 0, maxSeekTime);
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
    if (Math.abs(this.#probe.expected) < rateProof) return;
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
  const most = Math.abs(error) > firmAbove ? firmShare : gentleShare;
  return Math.round(clamp(error / errorDecay, -most, most) / rateStep) * rateStep;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

/** Times are milliseconds: the client's by performance.now(), the server's as the epoch of Unix. */
export interface ClockReading {
  /** The server's time minus the client's. */
  offset: number;
  /** The offset is wrong by this much at most, if the clocks run evenly. */
  uncertainty: number;
  /** The round trip of the sample that the offset is from. */
  delay: number;
}

interface Sample {
  offset: number;
  delay: number;
  at: number;
}

const keptSamples = 16;
const maxSampleAge = 180_000;
/** Two clocks part by at most this much in each millisecond: 50 ppm. */
const clockDrift = 50e-6;
/**
 * The distance between the bounds of two samples above which they contradict each other. It allows for rounded
 * timestamps.
 */
const sampleSlack = 1;

const burstSize = 6;
const burstGap = 100;
const firstMinute = 60_000;
const gapInFirstMinute = 5_000;
const gapLater = 15_000;

/**
 * The server's clock, from samples of an exchange like that of NTP. Each sample bounds the offset by half of its round
 * trip, and ages by what clocks drift. The narrowest bound counts. It says when the next sample is due, too: six at
 * once at the start and after a wake, then one each 5 s for a minute, then one each 15 s.
 */
export class Clock {
  #samples: Sample[] = [];
  #burstAt = 0;
  #burstLeft = 0;
  #due = 0;

  constructor(now: number) {
    this.wake(now);
  }

  /** When the next request should be sent. */
  get due(): number {
    return this.#due;
  }

  /** Asks for several samples at once: the machine may have slept, or the path has changed. */
  wake(now: number): void {
    if (this.#burstLeft > 0 && now - this.#burstAt < burstSize * burstGap) return;
    this.#burstAt = now;
    this.#burstLeft = burstSize;
    this.#due = now;
  }

  /** Notes that a request goes out. */
  sent(now: number): void {
    this.#burstLeft = Math.max(this.#burstLeft - 1, 0);
    const gap = this.#burstLeft > 0 ? burstGap : now - this.#burstAt < firstMinute ? gapInFirstMinute : gapLater;
    this.#due = now + gap;
  }

  /**
   * Takes an answer: sent at c0 and received at c3 by the client's clock, received at s1 and sent at s2 by the
   * server's.
   */
  add(c0: number, s1: number, s2: number, c3: number): void {
    const delay = c3 - c0 - (s2 - s1);
    if (![c0, s1, s2, c3].every(Number.isFinite) || s2 < s1 || delay < 0) return;
    const sample = { offset: (s1 - c0 + (s2 - c3)) / 2, delay, at: c3 };
    const before = this.#lowestDelay();
    // A sample that contradicts older ones proves that a clock was set, or stood still while the machine slept.
    this.#samples = this.#samples.filter(
      (old) =>
        c3 - old.at <= maxSampleAge &&
        Math.abs(old.offset - sample.offset) <= bound(old, c3) + bound(sample, c3) + sampleSlack,
    );
    this.#samples.push(sample);
    if (this.#samples.length > keptSamples) this.#samples.shift();
    if (this.#lowestDelay() > before * 1.5 + 10) this.wake(c3);
  }

  /** The best that is known; undefined before the first sample. */
  read(now: number): ClockReading | undefined {
    let best: Sample | undefined;
    for (const sample of this.#samples) {
      if (!best || bound(sample, now) < bound(best, now)) best = sample;
    }
    return best && { offset: best.offset, uncertainty: bound(best, now), delay: best.delay };
  }

  #lowestDelay(): number {
    return Math.min(...this.#samples.map(({ delay }) => delay));
  }
}

function bound(sample: Sample, now: number): number {
  return sample.delay / 2 + Math.max(now - sample.at, 0) * clockDrift;
}

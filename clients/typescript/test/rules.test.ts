import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Anchor, positionAt } from '../src/live/anchor.js';
import { Clock } from '../src/live/clock.js';
import { Corrector, type Observation } from '../src/live/correction.js';
import { Follower, type Media } from '../src/live/follower.js';

// The table that the Go client runs, too. Tests run in test/build/test.
const rules: Rules = JSON.parse(
  readFileSync(new URL('../../../../../live/player/testdata/rules.json', import.meta.url), 'utf8'),
);

interface Rules {
  clock: { name: string; start: number; steps: ClockStep[] }[];
  positions: { name: string; anchor: Anchor; time: number; position: number }[];
  correction: { name: string; steps: CorrectionStep[] }[];
  follower: { name: string; steps: FollowerStep[] }[];
}

type ClockStep =
  | { op: 'due'; value: number }
  | { op: 'sent'; now: number }
  | { op: 'wake'; now: number }
  | { op: 'add'; c0: number; s1: number; s2: number; c3: number }
  | { op: 'read'; now: number; none?: true; offset: number; uncertainty: number; delay: number };

type CorrectionStep =
  | ({ op: 'next'; expect: { rate: number; seek?: number; gave_up?: true } } & Observation)
  | { op: 'aim'; target: number; rate: number; value: number }
  | { op: 'starting'; behind: number }
  | { op: 'start_time'; value: number }
  | { op: 'reset' };

type FollowerStep =
  | { op: 'set'; anchor: Anchor }
  | { op: 'tick'; now: number; time: number; media: Shown; calls: string[]; error?: number; next?: number };

interface Shown {
  position: number;
  paused: boolean;
  ready: boolean;
  moving: boolean;
}

function near(actual: number | undefined, expected: number, where: string): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= 1e-6, `${where}: ${actual} is not ${expected}`);
}

for (const { name, start, steps } of rules.clock) {
  test(`clock: ${name}`, () => {
    const clock = new Clock(start);
    steps.forEach((step, i) => {
      if (step.op === 'due') near(clock.due, step.value, `step ${i}`);
      else if (step.op === 'sent') clock.sent(step.now);
      else if (step.op === 'wake') clock.wake(step.now);
      else if (step.op === 'add') clock.add(step.c0, step.s1, step.s2, step.c3);
      else if (step.none) assert.equal(clock.read(step.now), undefined);
      else {
        const reading = clock.read(step.now);
        near(reading?.offset, step.offset, `offset in step ${i}`);
        near(reading?.uncertainty, step.uncertainty, `uncertainty in step ${i}`);
        near(reading?.delay, step.delay, `delay in step ${i}`);
      }
    });
  });
}

test('positions', () => {
  for (const { name, anchor, time, position } of rules.positions) near(positionAt(anchor, time), position, name);
});

for (const { name, steps } of rules.correction) {
  test(`correction: ${name}`, () => {
    const corrector = new Corrector();
    steps.forEach((step, i) => {
      if (step.op === 'next') {
        const { rate, seek, gaveUp } = corrector.next(step);
        near(rate, step.expect.rate, `rate in step ${i}`);
        assert.equal(seek, step.expect.seek, `seek in step ${i}`);
        assert.equal(gaveUp, step.expect.gave_up ?? false, `step ${i}`);
      } else if (step.op === 'aim') near(corrector.aim(step.target, step.rate), step.value, `step ${i}`);
      else if (step.op === 'starting') corrector.starting(step.behind);
      else if (step.op === 'start_time') near(corrector.startTime, step.value, `step ${i}`);
      else corrector.reset();
    });
  });
}

class Recorder implements Media {
  shown: Shown = { position: 0, paused: true, ready: false, moving: false };
  calls: string[] = [];
  position = () => this.shown.position;
  isPaused = () => this.shown.paused;
  isReady = () => this.shown.ready;
  isMoving = () => this.shown.moving;
  seek = (position: number) => void this.calls.push(`seek ${position}`);
  setRate = (rate: number) => void this.calls.push(`rate ${rate}`);
  play = () => void this.calls.push('play');
  pause = () => void this.calls.push('pause');
}

for (const { name, steps } of rules.follower) {
  test(`follower: ${name}`, () => {
    const media = new Recorder();
    const follower = new Follower(media);
    steps.forEach((step, i) => {
      if (step.op === 'set') return follower.set(step.anchor);
      media.shown = step.media;
      media.calls = [];
      const following = follower.tick(step.now, step.time);
      assert.deepEqual(media.calls, step.calls, `step ${i}`);
      assert.equal(following?.error, step.error, `step ${i}`);
      assert.equal(following?.nextTick, step.next, `step ${i}`);
    });
  });
}

/**
 * Where a room's playback is: from `at_ms` on it moves at `rate`, if it plays. Times are milliseconds of the server.
 */
export interface Anchor {
  state: 'idle' | 'waiting' | 'playing' | 'paused';
  position_ms: number;
  at_ms: number;
  rate: number;
  duration_ms?: number | null | undefined;
  /** When it starts by itself; null unless it does. */
  starts_at_ms?: number | null | undefined;
}

/** For how long a player plays by its own clock what the room has not said yet. */
const maxEarly = 60_000;
/** How long before its start a player prepares for it. */
const lookAhead = 2_000;

/** The anchor as it is from `starts_at_ms` on: a player that waits for the room to say so would be late. */
export function due(anchor: Anchor, time: number): Anchor {
  const starts = anchor.starts_at_ms;
  if (anchor.state !== 'paused' || !starts || time < starts - lookAhead || time >= starts + maxEarly) return anchor;
  return { ...anchor, state: 'playing', at_ms: starts };
}

/** The position at a time of the server. */
export function positionAt(anchor: Anchor, time: number): number {
  const moved = anchor.state === 'playing' ? Math.max(time - anchor.at_ms, 0) * anchor.rate : 0;
  return Math.min(Math.max(anchor.position_ms + moved, 0), anchor.duration_ms ?? Infinity);
}

/** Whether two states differ in what a player has to do. */
export function differ(a: Anchor, b: Anchor): boolean {
  return a.state !== b.state || a.position_ms !== b.position_ms || a.at_ms !== b.at_ms || a.rate !== b.rate
    || (a.starts_at_ms ?? 0) !== (b.starts_at_ms ?? 0);
}

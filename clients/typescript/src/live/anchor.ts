/**
 * Where a room's playback is: from `at_ms` on it moves at `rate`, if it plays. Times are milliseconds of the server.
 */
export interface Anchor {
  state: 'idle' | 'waiting' | 'playing' | 'paused';
  position_ms: number;
  at_ms: number;
  rate: number;
  duration_ms?: number | null | undefined;
}

/** The position at a time of the server. */
export function positionAt(anchor: Anchor, time: number): number {
  const moved = anchor.state === 'playing' ? Math.max(time - anchor.at_ms, 0) * anchor.rate : 0;
  return Math.min(Math.max(anchor.position_ms + moved, 0), anchor.duration_ms ?? Infinity);
}

/** Whether two states differ in what a player has to do. */
export function differ(a: Anchor, b: Anchor): boolean {
  return a.state !== b.state || a.position_ms !== b.position_ms || a.at_ms !== b.at_ms || a.rate !== b.rate;
}

export { type Anchor, positionAt } from './anchor.js';
export { Clock, type ClockReading } from './clock.js';
export { CommandError, type End, type Events, LiveRoom, type Phase, type SignIn } from './connection.js';
export { type Correction, Corrector, type Observation } from './correction.js';
export type { Environment, Socket } from './environment.js';
export { Follower, type Following, type Media } from './follower.js';
export type * from './messages.js';
export type { Obstacle } from './video.js';
export { type View, type Watching, type WatchOptions, watchTogether } from './watch.js';

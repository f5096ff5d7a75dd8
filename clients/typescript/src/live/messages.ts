import type { components } from './schema.js';

type Schemas = components['schemas'];
export type PlaybackState = Schemas['State'];
export type Member = Schemas['Member'];
export type Members = Schemas['Members'];
export type Place = Schemas['Place'];
export type RoomSettings = Schemas['RoomSettings'];
export type QueueDigest = Schemas['Queue'];
export type ChatMessage = Schemas['ChatMessage'];
export type Status = Schemas['Status'];
export type ErrorMessage = Schemas['Error'];

export type ServerMessage =
  | Schemas['Welcome']
  | Schemas['StateMessage']
  | Schemas['Ack']
  | Schemas['Error']
  | Schemas['ClockReply']
  | Schemas['ClockChanged']
  | Schemas['MembersMessage']
  | Schemas['People']
  | Schemas['PlaceMessage']
  | Schemas['RoomMessage']
  | Schemas['QueueMessage']
  | Schemas['MessageEvent']
  | Schemas['Hidden']
  | Schemas['TokenExpiring']
  | Schemas['Degraded']
  | Schemas['GoingAway'];

export type Command =
  | Schemas['Play']
  | Schemas['Pause']
  | Schemas['Seek']
  | Schemas['Rate']
  | Schemas['Load']
  | Schemas['Skip']
  | Schemas['Stop'];

export type ClientMessage =
  | Command
  | Schemas['Hello']
  | Schemas['Token']
  | Schemas['Clock']
  | Schemas['Status']
  | Schemas['Ready']
  | Schemas['Bye'];

type WithoutNames<C> = C extends Command ? Omit<C, 'id' | 'epoch' | 'revision' | 'if_revision'> : never;
/** A command without what the connection adds: its ID, and what the person sees. */
export type CommandBody = WithoutNames<Command>;

import { Clock, type ClockReading } from './clock.js';
import { browserEnvironment, type Environment, openState, type Socket } from './environment.js';
import type {
  ChatMessage, ClientMessage, Command, CommandBody, ErrorMessage, Member, Members, Place, PlaybackState, QueueDigest,
  RoomSettings, ServerMessage, Status,
} from './messages.js';

/** Who signs the connection in: the API's client. */
export interface SignIn {
  readonly baseUrl: string;
  accessToken(former?: string): Promise<string | null>;
}

/** `closed` is final: only another `LiveRoom` can connect again. */
export type Phase = 'connecting' | 'open' | 'reconnecting' | 'closed';

/**
 * Why a connection is closed for good, or was lost. `reason` is that of the server, or one of `signed_out`, `left` and
 * `silence`.
 */
export interface End {
  code: number;
  reason: string;
}

export interface Events {
  phase: Phase;
  /** An attempt to connect has failed, or the connection was lost. Another attempt follows. */
  loss: End;
  state: PlaybackState;
  members: Members;
  people: readonly Member[];
  place: Place;
  room: RoomSettings;
  queue: QueueDigest;
  message: ChatMessage;
  /** The ID of a person whose messages and items of the queue are not shown any more. */
  hidden: string;
  degraded: boolean;
}

/** A command that was refused, or whose answer was lost with the connection (`disconnected`). */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;
  /** Milliseconds until another attempt makes sense, where the server says so. */
  readonly retryAfter: number | undefined;

  constructor({ code, message, retry_after_ms }: Pick<ErrorMessage, 'code' | 'message' | 'retry_after_ms'>) {
    super(message);
    this.code = code;
    this.retryAfter = retry_after_ms;
  }
}

/** A seek that waits for its turn. */
interface HeldSeek {
  body: CommandBody;
  resolve: (revision: number) => void;
  reject: (error: CommandError) => void;
}

interface Pending {
  command: Command;
  cancelTimeout: () => void;
  resolve: (revision: number) => void;
  reject: (error: CommandError) => void;
}

const protocol = 'watchparty.v1';
/** Close codes after which the client does not reconnect. */
const final = new Set([1000, 1003, 1009, 4400, 4403, 4404, 4409, 4410]);
const unauthenticated = 4401;
/** New tokens that are tried one after the other, before the sign-in counts as ended. */
const maxTokens = 3;
/** The connection counts as dead when opening it, or an answer to `clock`, takes longer than this. */
const silence = 8_000;
const firstDelay = 1_000;
const lastDelay = 10_000;
/** How long a command waits for its answer. If the connection is lost meanwhile, it is sent again, with its ID. */
const commandTime = 10_000;
/** The minimum time between two seeks. A held key repeats thirty times a second; the server accepts five commands. */
const seekGap = 250;

/** A live connection to a room. It signs in, renews the token, measures the clock, and connects again. */
export class LiveRoom {
  readonly #env: Environment;
  readonly #signIn: SignIn;
  readonly #url: string;
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>();
  readonly #pending = new Map<string, Pending>();

  #phase: Phase = 'connecting';
  #end: End | undefined;
  #loss: End | undefined;
  #state: PlaybackState | undefined;
  #members: Members = { connected: 0, waiting_for: [], waiting: 0 };
  #people: readonly Member[] = [];
  #place: Place | undefined;
  #room: RoomSettings | undefined;
  #queue: QueueDigest | undefined;
  #degraded = false;

  #socket: Socket | undefined;
  #connectionID: string | undefined;
  #heldSeek: HeldSeek | undefined;
  #soughtAt = -Infinity;
  #cancelSeek = () => {};
  #token: string | null = null;
  #refusals = 0;
  #attempts = 0;
  #clock: Clock;
  #cancelRetry = () => {};
  #cancelTick = () => {};
  #cancelSilence: (() => void) | undefined;

  constructor(signIn: SignIn, roomID: string, environment: Environment = browserEnvironment) {
    this.#env = environment;
    this.#signIn = signIn;
    const url = new URL(`${signIn.baseUrl}/rooms/${encodeURIComponent(roomID)}/live`, globalThis.location?.href);
    this.#url = url.href.replace(/^http/, 'ws');
    this.#clock = new Clock(environment.now());
    void this.#connect();
  }

  get phase(): Phase { return this.#phase; }
  /** Why it is closed, if it is. */
  get end(): End | undefined { return this.#end; }
  /** Why there is no connection now, if the server has said so; for example `rate_limited`. */
  get loss(): End | undefined { return this.#loss; }
  get state(): PlaybackState | undefined { return this.#state; }
  get members(): Members { return this.#members; }
  get people(): readonly Member[] { return this.#people; }
  get place(): Place | undefined { return this.#place; }
  get room(): RoomSettings | undefined { return this.#room; }
  get queue(): QueueDigest | undefined { return this.#queue; }
  /** Whether the server cannot reach its database: players go on, commands are refused. */
  get degraded(): boolean { return this.#degraded; }

  /** What is known of the server's clock. */
  get clock(): ClockReading | undefined { return this.#clock.read(this.#env.now()); }

  /** The server's time, in milliseconds; undefined before the clock is known. */
  serverTime(): number | undefined {
    const reading = this.clock;
    return reading && this.#env.now() + reading.offset;
  }

  /** Returns a function that ends it. */
  on<K extends keyof Events>(name: K, listener: (value: Events[K]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(name, listeners);
    return () => void listeners.delete(listener);
  }

  /**
   * Sends a command of a person, and returns the revision that it made. Never send what a player does by itself. It
   * throws a CommandError. Of seeks that follow each other closely, only some are sent, and always the last one; the
   * others are refused as `superseded`.
   */
  command(body: CommandBody): Promise<number> {
    if (body.t !== 'seek') {
      this.#releaseSeek(); // which must not be overtaken
      return this.#submit(body);
    }
    return new Promise((resolve, reject) => {
      this.#heldSeek?.reject(superseded());
      this.#heldSeek = { body, resolve, reject };
      this.#cancelSeek();
      const wait = this.#soughtAt + seekGap - this.#env.now();
      if (wait > 0) this.#cancelSeek = this.#env.after(wait, () => this.#releaseSeek());
      else this.#releaseSeek();
    });
  }

  #releaseSeek(): void {
    const held = this.#heldSeek;
    if (!held) return;
    this.#heldSeek = undefined;
    this.#cancelSeek();
    this.#soughtAt = this.#env.now();
    this.#submit(held.body).then(held.resolve, held.reject);
  }

  #submit(body: CommandBody): Promise<number> {
    const seen = { epoch: this.#state?.epoch ?? 0, revision: this.#state?.revision ?? 0 };
    const command = { ...body, id: newID(), ...seen } as Command;
    return new Promise((resolve, reject) => {
      if (this.#phase !== 'open') return reject(disconnected());
      const cancelTimeout = this.#env.after(commandTime, () => this.#settle(command.id, fail));
      this.#pending.set(command.id, { command, cancelTimeout, resolve, reject });
      this.#send(command);
    });
  }

  /** Reports the status of the player. `watchTogether` calls it. */
  report(status: Omit<Status, 't'>): void {
    if (this.#phase === 'open') this.#send({ t: 'status', ...status });
  }

  /** Says that the player could play at the position of the cue. `watchTogether` does that. */
  ready(epoch: number, cue: number, duration?: number): void {
    if (this.#phase === 'open') this.#send({ t: 'ready', epoch, cue, ...(duration && { duration_ms: duration }) });
  }

  /** The machine may have slept: measures the clock again, or connects at once. */
  wake(): void {
    if (this.#phase === 'closed') return;
    this.#clock.wake(this.#env.now());
    if (this.#phase === 'open') this.#measure();
    else if (!this.#socket) void this.#connect();
  }

  /** The network has changed: reconnects, since the old connection may not deliver what it has sent for long. */
  reconnect(): void {
    if (this.#phase === 'closed') return;
    this.#attempts = 0;
    if (this.#socket) this.#drop();
    void this.#connect();
  }

  /** Closes the connection. The person stays in the room. */
  close(): void {
    if (this.#phase === 'open') this.#send({ t: 'bye' });
    this.#finish({ code: 1000, reason: 'left' });
  }

  async #connect(): Promise<void> {
    this.#cancelRetry();
    let token: string | null;
    try {
      token = await this.#signIn.accessToken();
    } catch {
      return this.#retry();
    }
    if (this.#phase === 'closed' || this.#socket) return;
    if (token === null) return this.#finish({ code: unauthenticated, reason: 'signed_out' });
    this.#token = token;
    this.#open(token);
  }

  #open(token: string): void {
    const socket = this.#env.openSocket(this.#url, protocol);
    this.#socket = socket;
    this.#expectAnswer();
    socket.onopen = () => {
      this.#send({ t: 'hello', token, ...(this.#connectionID && { resume: this.#connectionID }) });
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket && typeof data === 'string') this.#receive(JSON.parse(data));
    };
    socket.onclose = ({ code, reason }) => {
      if (socket === this.#socket) this.#lost(code, reason);
    };
  }

  /** Closes the connection as lost if no message arrives within `silence`. */
  #expectAnswer(): void {
    this.#cancelSilence ??= this.#env.after(silence, () => this.#drop());
  }

  #heard(): void {
    this.#cancelSilence?.();
    this.#cancelSilence = undefined;
  }

  #drop(): void {
    const socket = this.#socket;
    this.#lost(1006, 'silence');
    socket?.close();
  }

  /** A connection that the other side closes takes nothing any more, and browsers complain about what is sent. */
  #send(message: ClientMessage): void {
    if (this.#socket?.readyState === openState) this.#socket.send(JSON.stringify(message));
  }

  #lost(code: number, reason: string): void {
    this.#socket = undefined;
    this.#cancelTick();
    this.#heard();
    if (final.has(code)) return this.#finish({ code, reason });
    this.#loss = { code, reason };
    this.#setPhase(this.#state ? 'reconnecting' : 'connecting');
    this.#emit('loss', this.#loss);
    if (code === unauthenticated) void this.#renew(reason);
    else this.#retry();
  }

  /** A refused token is exchanged before another attempt. */
  async #renew(reason: string): Promise<void> {
    try {
      const fresh = await this.#signIn.accessToken(this.#token ?? undefined);
      if (this.#phase === 'closed') return;
      if (fresh === null || ++this.#refusals >= maxTokens) {
        return this.#finish({ code: unauthenticated, reason: fresh === null ? 'signed_out' : reason });
      }
    } catch {
      // The API is away, too.
    }
    if (this.#phase !== 'closed') this.#retry();
  }

  /** Connects again after a random time, so that the clients of a node that has ended do not come all at once. */
  #retry(): void {
    if (this.#phase === 'closed') return;
    const most = Math.min(firstDelay * 2 ** this.#attempts, lastDelay);
    const least = this.#attempts === 0 ? 0 : most / 2;
    this.#attempts++;
    this.#cancelRetry();
    this.#cancelRetry = this.#env.after(least + this.#env.random() * (most - least), () => void this.#connect());
  }

  #finish(end: End): void {
    if (this.#phase === 'closed') return;
    this.#end = end;
    const socket = this.#socket;
    this.#socket = undefined;
    this.#cancelRetry();
    this.#cancelTick();
    this.#heard();
    socket?.close(1000);
    for (const id of [...this.#pending.keys()]) this.#settle(id, fail);
    this.#setPhase('closed');
    this.#releaseSeek(); // which is refused
  }

  #receive(message: ServerMessage): void {
    this.#heard();
    switch (message.t) {
      case 'welcome': return this.#welcome(message);
      case 'state': return this.#takeState(message);
      case 'ack': return this.#settle(message.id, (p) => p.resolve(message.revision));
      case 'error': return this.#refused(message);
      case 'clock': return this.#clock.add(message.c0, message.s1, message.s2, this.#env.now());
      case 'clock_changed':
        this.#clock = new Clock(this.#env.now());
        return this.#measure();
      case 'members':
        this.#members = message;
        return this.#emit('members', message);
      case 'people': return this.#takePeople(message.changed, message.left);
      case 'place':
        this.#place = message;
        return this.#emit('place', message);
      case 'room':
        this.#room = message;
        return this.#emit('room', message);
      case 'queue':
        this.#queue = message;
        return this.#emit('queue', message);
      case 'message': return this.#emit('message', message.message);
      case 'hidden': return this.#emit('hidden', message.user);
      case 'token_expiring': return void this.#renewToken();
      case 'degraded':
        this.#degraded = message.degraded;
        return this.#emit('degraded', message.degraded);
      case 'going_away': // the server closes, and then there is another one
    }
  }

  #welcome(message: Extract<ServerMessage, { t: 'welcome' }>): void {
    this.#connectionID = message.connection;
    this.#attempts = 0;
    this.#refusals = 0;
    this.#loss = undefined;
    this.#degraded = false;
    this.#members = message.members;
    this.#people = message.people;
    this.#place = message.place;
    this.#room = message.room;
    this.#queue = message.queue;
    this.#setPhase('open');
    this.#takeState(message.state);
    for (const name of ['members', 'people', 'place', 'room', 'queue', 'degraded'] as const) {
      this.#emit(name, this[name] as never);
    }
    this.#clock.wake(this.#env.now());
    this.#measure();
    // The server knows by their IDs which commands it has applied.
    for (const { command } of this.#pending.values()) this.#send(command);
  }

  /**
   * States can come out of order, for a command's refusal brings one, too. At the same revision, the state with the
   * newer version of the movie counts.
   */
  #takeState(state: PlaybackState): void {
    const known = this.#state;
    const isChanged = (state.media?.version ?? 0) > (known?.media?.version ?? 0);
    if (known && (state.revision < known.revision || (state.revision === known.revision && !isChanged))) return;
    this.#state = state;
    this.#emit('state', state);
  }

  #takePeople(changed: readonly Member[], left: readonly string[]): void {
    const people = new Map(this.#people.map((member) => [member.user.id, member]));
    for (const member of changed) people.set(member.user.id, member);
    for (const id of left) people.delete(id);
    this.#people = [...people.values()];
    this.#emit('people', this.#people);
  }

  #refused(message: ErrorMessage): void {
    if (message.state) this.#takeState(message.state);
    if (message.id) this.#settle(message.id, (pending) => pending.reject(new CommandError(message)));
  }

  #settle(id: string, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    pending.cancelTimeout();
    how(pending);
  }

  async #renewToken(): Promise<void> {
    const socket = this.#socket;
    try {
      const token = await this.#signIn.accessToken(this.#token ?? undefined);
      // Without one the server closes in a minute, unless another tab is faster.
      if (token === null || socket !== this.#socket) return;
      this.#token = token;
      this.#send({ t: 'token', access_token: token });
    } catch {
      // Once more: there is a minute left.
      this.#env.after(firstDelay * 5, () => void (socket === this.#socket && this.#renewToken()));
    }
  }

  /** Asks for the time whenever the clock wants a sample. */
  #measure(): void {
    this.#cancelTick();
    if (this.#phase !== 'open') return;
    const now = this.#env.now();
    if (now >= this.#clock.due) {
      this.#send({ t: 'clock', c0: now });
      this.#clock.sent(now);
      this.#expectAnswer();
    }
    this.#cancelTick = this.#env.after(Math.max(this.#clock.due - now, 0), () => this.#measure());
  }

  #setPhase(phase: Phase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#emit('phase', phase);
  }

  #emit<K extends keyof Events>(name: K, value: Events[K]): void {
    for (const listener of this.#listeners.get(name) ?? []) (listener as (value: Events[K]) => void)(value);
  }
}

function fail({ reject }: Pending): void {
  reject(disconnected());
}

function superseded(): CommandError {
  return new CommandError({ code: 'superseded', message: 'Another seek came soon after this one.' });
}

function disconnected(): CommandError {
  return new CommandError({ code: 'disconnected', message: 'There is no connection to the room.' });
}

/** A random UUID, without crypto.randomUUID, which pages that come by http lack. */
function newID(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

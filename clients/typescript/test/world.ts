import type { Environment, LiveRoom, Socket } from '../src/live/index.js';
import type { ClientMessage, Member, ServerMessage } from '../src/live/messages.js';

/** A socket whose other side is the test. */
export class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly sent: ClientMessage[] = [];
  isClosed = false;
  readyState = 1;
  onsend: (message: ClientMessage) => void = () => {};

  constructor(readonly url: string, readonly protocol: string) {}

  send(text: string): void {
    const message: ClientMessage = JSON.parse(text);
    this.sent.push(message);
    this.onsend(message);
  }

  close(): void {
    this.isClosed = true;
  }

  receive(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  lose(code: number, reason = ''): void {
    this.onclose?.({ code, reason });
  }

  /** What was sent under a name. */
  named<T extends ClientMessage['t']>(t: T): Extract<ClientMessage, { t: T }>[] {
    return this.sent.filter((message): message is Extract<ClientMessage, { t: T }> => message.t === t);
  }
}

/** A machine whose time the test moves. */
export class World implements Environment {
  time = 1_000;
  luck = 0.5;
  readonly sockets: FakeSocket[] = [];
  #timers: { at: number; action: () => void }[] = [];

  now = () => this.time;
  random = () => this.luck;

  after(milliseconds: number, action: () => void): () => void {
    const timer = { at: this.time + milliseconds, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  openSocket(url: string, protocol: string): Socket {
    const socket = new FakeSocket(url, protocol);
    this.sockets.push(socket);
    return socket;
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('there is no socket');
    return socket;
  }

  /** Lets time pass, with all that happens in it. */
  async pass(milliseconds: number): Promise<void> {
    const until = this.time + milliseconds;
    await settle();
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.time = Math.max(next.at, this.time);
      next.action();
      await settle();
    }
    this.time = until;
  }
}

/** Lets promises settle. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A person with the generated picture. */
export function person(username: string, display_name: string): Member['user'] {
  const files = `https://party.example/api/files/avatars/${username}`;
  const picture = `${files}/default.svg`;
  return {
    id: username, username, display_name,
    avatar: { default: true, thumbnail: picture, medium: picture, large: picture, plain: `${files}/default.png` },
  };
}

export const state: LiveRoom['state'] & object = {
  revision: 41, epoch: 7, cue: 12, state: 'playing', item: 'item', position_ms: 1_000, at_ms: 50_000, rate: 1,
  media: { title: 'Metropolis', stream_url: 'https://videos.example/m.webm', movie_id: null, version: 0, subtitles: [] },
  duration_ms: 60_000, starts_at_ms: null, wait: null, cause: 'play', by: person('alice', 'Alice'), now_ms: 50_000,
};

export const welcome: Extract<ServerMessage, { t: 'welcome' }> = {
  t: 'welcome', connection: 'connection-1', now_ms: 50_000, token_expires_ms: 950_000,
  place: {
    user: person('bob', 'Bob'), role: 'viewer', permissions: [], muted_until: null,
  },
  room: {
    name: 'Film night', control: 'moderators', queue: 'everyone', queue_order: 'manual', wait_policy: 'auto',
    slow_mode_seconds: 0, parties_ms: null,
  },
  queue: { version: 1, skip_votes: 0 }, state, members: { connected: 1, waiting_for: [], waiting: 0 },
  people: [{ user: person('bob', 'Bob'), role: 'viewer', muted: false, connected: true }],
};

/** What a connection needs of the machine. Tests have their own. */
export interface Environment {
  /** A clock that only goes forward, in milliseconds: never the time of day, which people and machines set. */
  now(): number;
  /** From 0 to less than 1. */
  random(): number;
  /** Returns a function that cancels it. */
  after(milliseconds: number, action: () => void): () => void;
  openSocket(url: string, protocol: string): Socket;
}

/** The `readyState` of an open socket: `WebSocket.OPEN`. */
export const openState = 1;

/** The part of WebSocket that is used. */
export interface Socket {
  /** `openState` while it takes messages. */
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export const browserEnvironment: Environment = {
  now: () => performance.now(),
  random: () => Math.random(),
  after(milliseconds, action) {
    const timer = setTimeout(action, milliseconds);
    return () => clearTimeout(timer);
  },
  openSocket: (url, protocol) => new WebSocket(url, protocol) as Socket,
};

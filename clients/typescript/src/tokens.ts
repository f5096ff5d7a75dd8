export interface Tokens {
  access_token: string;
  refresh_token: string;
}

/** Where the tokens are kept: localStorage, sessionStorage, or anything with their methods, asynchronous or not. */
export interface TokenStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): void | Promise<void>;
  removeItem(key: string): void | Promise<void>;
}

const key = 'watchparty';

export async function readTokens(storage: TokenStorage): Promise<Tokens | null> {
  const text = await storage.getItem(key);
  return text === null ? null : JSON.parse(text);
}

export async function writeTokens(storage: TokenStorage, { access_token, refresh_token }: Tokens): Promise<void> {
  await storage.setItem(key, JSON.stringify({ access_token, refresh_token }));
}

export async function dropTokens(storage: TokenStorage): Promise<void> {
  await storage.removeItem(key);
}

/** Keeps the tokens for as long as the page or process lives. */
export function memoryStorage(): TokenStorage {
  const items = new Map<string, string>();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
    removeItem: (name) => void items.delete(name),
  };
}

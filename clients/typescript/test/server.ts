import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the server saw it. */
export interface Seen {
  line: string;
  token: string | undefined;
  key: string | undefined;
  body: string;
}

/** What the server does with a request: it answers, or breaks the connection. */
export type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | 'break';

/** Starts a server that answers by a function. */
export async function startServer(answer: (request: Seen, nth: number) => Answer) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const one: Seen = {
      line: `${request.method} ${request.url}`,
      token: request.headers.authorization?.replace('Bearer ', ''),
      key: request.headers['idempotency-key']?.toString(),
      body: await readBody(request),
    };
    seen.push(one);
    const given = answer(one, seen.filter(({ line }) => line === one.line).length);
    if (given === 'break') return void request.socket.destroy();
    const isText = typeof given.body === 'string';
    const type = isText ? 'text/html' : given.status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(given.status, { 'Content-Type': type, ...given.headers });
    response.end(isText || given.body === undefined ? given.body : JSON.stringify(given.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    count: (line: string) => seen.filter((one) => one.line === line).length,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export function problem(status: number, code: string, more: object = {}, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: { type: 'about:blank', title: 'Problem', status, code, ...more } };
}

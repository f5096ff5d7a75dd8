import type { FetchResponse, MaybeOptionalInit } from 'openapi-fetch';
import type { paths } from './schema.js';

type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The paths that take a method. */
type PathOf<V extends Verb> = { [P in keyof paths]: paths[P] extends Record<V, object> ? P : never }[keyof paths];

/** What a call answers: openapi-fetch's success, since everything else is thrown. */
type Success<P extends keyof paths, V extends Verb, Init> = Exclude<
  FetchResponse<paths[P][V] & object, Init, `${string}/${string}`>,
  { error: unknown }
>;

type Call<V extends Verb> = <P extends PathOf<V>, Init extends MaybeOptionalInit<paths[P], V>>(
  path: P,
  ...init: undefined extends Init ? [init?: Init] : [init: Init]
) => Promise<Pick<Success<P, V, Init>, 'data' | 'response'>>;

/** The methods of openapi-fetch, without errors to look for. */
export type Calls = { [V in Verb as Uppercase<V>]: Call<V> };

/** The paths whose POST takes an Idempotency-Key. */
type Keyed = {
  [P in keyof paths]: paths[P] extends { post: { parameters: { header?: { 'Idempotency-Key'?: string } } } }
    ? paths[P] extends { post: { parameters: { header?: never } } } ? never : P
    : never;
}[keyof paths];

// Types do not exist at run time, so the paths are listed here. The compiler reports a missing or superfluous one.
const keyed: Record<Keyed, true> = {
  '/auth/register': true,
  '/auth/password-reset': true,
  '/users/me/email/verification': true,
  '/movies': true,
  '/rooms': true,
  '/rooms/{room_id}/bans': true,
  '/rooms/{room_id}/mutes': true,
  '/rooms/{room_id}/invitations': true,
  '/rooms/{room_id}/queue': true,
  '/rooms/{room_id}/parties': true,
  '/chat/messages': true,
  '/abuse-reports': true,
  '/admin/cleanup': true,
  '/admin/webhooks': true,
  '/admin/emails/{email_id}/resend': true,
};

export function takesKey(path: string): boolean {
  return Object.hasOwn(keyed, path);
}

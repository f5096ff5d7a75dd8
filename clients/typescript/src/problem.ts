import type { components } from './schema.js';

type Problem = components['schemas']['Problem'];
export type ProblemCode = components['schemas']['ProblemCode'];
export type FieldProblem = components['schemas']['FieldProblem'];

/** Every answer but a 2xx is thrown as this. A request without an answer is the TypeError of fetch. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  /** What programs go by. `unknown` is an answer that a proxy gave; later versions of the API may have other codes. */
  readonly code: ProblemCode | 'unknown' | (string & {});
  /** The fields that are wrong. */
  readonly errors: readonly FieldProblem[];
  /** Figures that belong to the code. */
  readonly details: Readonly<Record<string, number>>;
  /** Quote it when asking for help. */
  readonly requestId: string | undefined;
  /** Seconds until another attempt makes sense, where the answer says so. */
  readonly retryAfter: number | undefined;

  constructor(response: Response, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `HTTP status ${response.status}`);
    this.status = response.status;
    this.code = problem.code ?? 'unknown';
    this.errors = problem.errors ?? [];
    this.details = problem.details ?? {};
    this.requestId = problem.request_id ?? response.headers.get('X-Request-Id') ?? undefined;
    this.retryAfter = retryAfter(response);
  }

  static async from(response: Response): Promise<ProblemError> {
    const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json');
    const problem = isProblem ? await response.json().catch(() => ({})) : {};
    return new ProblemError(response, problem);
  }
}

/** The seconds of Retry-After. */
export function retryAfter(response: Response): number | undefined {
  const value = response.headers.get('Retry-After') ?? '';
  return /^\d+$/.test(value) ? Number(value) : undefined;
}

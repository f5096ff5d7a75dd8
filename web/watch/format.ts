/** A position in a movie: 4:05, or 1:04:05. */
export function clockTime(milliseconds: number): string {
  const seconds = Math.max(Math.floor(milliseconds / 1000), 0);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  const hours = Math.floor(seconds / 3600);
  if (hours > 0) parts.unshift(hours);
  return parts.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** The same for screen readers: 1 hour 4 minutes 5 seconds. */
export function spokenTime(milliseconds: number): string {
  const seconds = Math.max(Math.floor(milliseconds / 1000), 0);
  const parts: [number, string][] = [
    [Math.floor(seconds / 3600), 'hour'], [Math.floor(seconds / 60) % 60, 'minute'], [seconds % 60, 'second'],
  ];
  const named = parts.filter(([n], i) => n > 0 || (i === 2 && seconds === 0));
  return named.map(([n, unit]) => count(n, unit)).join(' ');
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** Names in a sentence: Alice, Bob and 3 others. */
export function list(names: readonly string[], others = 0): string {
  const all = others > 0 ? [...names, count(others, 'other')] : [...names];
  const last = all.pop() ?? '';
  return all.length > 0 ? `${all.join(', ')} and ${last}` : last;
}

const time = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const date = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' });

export function timeOfDay(iso: string): string {
  return time.format(new Date(iso));
}

export function day(iso: string): string {
  const then = new Date(iso);
  return then.toDateString() === new Date().toDateString() ? 'Today' : date.format(then);
}

const dateAndTime = { weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' } as const;

/** A day and a time for the reader; with the year, if it is another one. In another time zone, if one is named. */
export function moment(iso: string, timeZone?: string): string {
  const then = new Date(iso);
  const isFar = then.getFullYear() !== new Date().getFullYear();
  return then.toLocaleString(undefined, { ...dateAndTime, ...(isFar && { year: 'numeric' }),
    ...(timeZone && { timeZone }) });
}

/** The same in a time zone, with its name; undefined where the reader's clocks show the same. */
export function momentElsewhere(iso: string, timeZone: string): string | undefined {
  try {
    const there = moment(iso, timeZone);
    return there === moment(iso) ? undefined : `${there} in ${timeZone.replaceAll('_', ' ')}`;
  } catch { // this browser does not know the zone
    return undefined;
  }
}

/** The name of the reader's time zone. */
export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/** What a field of the type datetime-local holds for a time, in the reader's zone. */
export function localInput(then: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())}T${two(then.getHours())}:${
    two(then.getMinutes())}`;
}

/** How long it is until something: 2 days 3:04:05. */
export function countdown(milliseconds: number): string {
  const seconds = Math.max(Math.ceil(milliseconds / 1000), 0);
  const days = Math.floor(seconds / 86_400);
  const rest = clockTime((seconds % 86_400) * 1000);
  return days > 0 ? `${count(days, 'day')} ${rest}` : rest;
}

/** A colour's number for a person, always the same. */
export function hue(id: string): number {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + char.charCodeAt(0)) % 360;
  return sum;
}

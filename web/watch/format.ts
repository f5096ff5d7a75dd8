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

/** A colour's number for a person, always the same. */
export function hue(id: string): number {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + char.charCodeAt(0)) % 360;
  return sum;
}

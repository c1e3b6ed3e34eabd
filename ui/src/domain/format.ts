/** Facts as people read them. All instants are UTC; the zone is said where it is not obvious. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

const two = (n: number): string => String(n).padStart(2, '0');
const ms = (instant: string): number => Date.parse(instant);

/** `15:20:05`. Empty for something that is no instant. */
export function clock(instant: string): string {
  const date = new Date(ms(instant));
  return Number.isNaN(date.getTime()) ? '' : `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

/** `15:20`. */
export function shortClock(instant: string): string {
  return clock(instant).slice(0, 5);
}

/** `12 Mar`, with the year where it is another one than now. */
export function day(instant: string, now?: number): string {
  const date = new Date(ms(instant));
  if (Number.isNaN(date.getTime())) return '';
  const other = now !== undefined && new Date(now).getUTCFullYear() !== date.getUTCFullYear();
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ''}${other ? ` ${date.getUTCFullYear()}` : ''}`;
}

/** `12 Mar 18:04:24`. */
export function stamp(instant: string, now?: number): string {
  const date = day(instant, now);
  return date && `${date} ${clock(instant)}`;
}

/** `Today 17:10`, `Mon 15:02`, `20 Mar 10:12`: near days by name, others by date. */
export function near(instant: string, now: number): string {
  const at = ms(instant);
  if (Number.isNaN(at)) return '';
  const days = Math.floor(at / DAY) - Math.floor(now / DAY);
  if (days === 0) return `Today ${shortClock(instant)}`;
  if (days === -1) return `Yesterday ${shortClock(instant)}`;
  const weekday = WEEKDAYS[new Date(at).getUTCDay()] ?? '';
  return days > 0 && days < 7 ? `${weekday} ${shortClock(instant)}` : `${day(instant, now)} ${shortClock(instant)}`;
}

/** Length of time in the two units that matter: `2 h 51 min`, `5 d 11 h`, `47 min`, `38 s`. */
export function span(milliseconds: number): string {
  const t = Math.abs(milliseconds);
  if (t >= DAY) return `${Math.floor(t / DAY)} d ${Math.floor((t % DAY) / HOUR)} h`;
  if (t >= HOUR) return `${Math.floor(t / HOUR)} h ${two(Math.floor((t % HOUR) / MINUTE))} min`;
  if (t >= MINUTE) return `${Math.floor(t / MINUTE)} min`;
  return `${Math.floor(t / 1000)} s`;
}

/** Length of time against a promise in hours: `45 h 16 min`, `38 min`, `12 s`. Days only from 100 hours on. */
export function hours(milliseconds: number): string {
  const t = Math.abs(milliseconds);
  if (t >= 100 * HOUR || t < HOUR) return span(t);
  return `${Math.floor(t / HOUR)} h ${two(Math.floor((t % HOUR) / MINUTE))} min`;
}

/** Time left until an instant; negative when it has passed. */
export function left(instant: string, now: number): number {
  return ms(instant) - now;
}

const grouped = new Intl.NumberFormat('en-US');

/** `1,022`. */
export function count(n: number): string {
  return grouped.format(n);
}

/** Credits with their sign, a true minus: `−320`, `+70`, `0`. */
export function signed(credits: number): string {
  if (credits === 0) return '0';
  return credits < 0 ? `−${grouped.format(-credits)}` : `+${grouped.format(credits)}`;
}

/** `1 credit`, `320 credits`. */
export function credits(n: number): string {
  return `${count(n)} ${Math.abs(n) === 1 ? 'credit' : 'credits'}`;
}

/** `41.3 MB`, in powers of 1000 as the providers count. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = n;
  let unit = '';
  for (const next of units) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`;
}

/** A hash in groups of four, the middle left out: `2438 368c d891 8743 … 90e1`. */
export function shortHash(hex: string): string {
  const groups = hex.match(/.{1,4}/g) ?? [];
  return groups.length <= 5 ? groups.join(' ') : `${groups.slice(0, 4).join(' ')} … ${groups.at(-1) ?? ''}`;
}

/** Two letters for a person: `AP` of `Ana Prata`, `BK` of `b.king`. */
export function initials(name: string): string {
  const words = name.split(/[\s._@-]+/).filter(Boolean);
  const [first = '', second = ''] = words;
  return `${first.slice(0, 1)}${second ? second.slice(0, 1) : first.slice(1, 2)}`.toUpperCase();
}

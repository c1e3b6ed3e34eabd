/**
 * Is the promise kept: every charge without an output settled within 24 hours (P3, R11, R15)? The
 * core counts; here it becomes one finding that a lead can read from two metres.
 */
import type { PassView, PromiseView, ScheduleView, Tone } from '../lib/ipc/generated/contract';
import type { Shape } from '../shared/controls/shapes';
import { count, credits, hours } from './format';

const HOUR = 3_600_000;
/** Before the end of the window, files are no longer waited for: the last hour is for restoring (P3). */
const LAST = HOUR;
/** From here on the oldest open charge is worth a look. */
const NEAR = 4 * HOUR;
/** Our own target: 80 of 100 refunds within it (R15). */
export const TARGET = 4 * HOUR;

export interface Finding {
  readonly tone: Tone;
  readonly shape: Shape;
  readonly word: string;
  readonly text: string;
}

/** Milliseconds since the oldest open charge was posted; null where none is open. */
export function oldestAge(promise: PromiseView, now: number): number | null {
  return promise.oldestOpen === null ? null : Math.max(0, now - Date.parse(promise.oldestOpen));
}

/** Milliseconds until the oldest open charge was promised to be settled, below 0 when that has passed. */
export function oldestLeft(promise: PromiseView, now: number): number | null {
  return promise.oldestDueAt === null ? null : Date.parse(promise.oldestDueAt) - now;
}

/** Colour rises only where somebody must act: in the last hour, or past it. */
export function leftTone(left: number | null): Tone {
  if (left === null) return 'ok';
  return left < LAST ? 'bad' : left < NEAR ? 'warn' : 'neutral';
}

/** The one finding, worst first. It is made for the instant shown, so a promise breaks without being read again. */
export function finding(promise: PromiseView, schedule: ScheduleView, now: number): Finding {
  const left = oldestLeft(promise, now);
  const worst = promise.refundSecondsWorst === null ? null : promise.refundSecondsWorst * 1000;
  const window = `${promise.windowHours} h`;
  if (promise.broken || (left !== null && left < 0)) return { tone: 'bad', shape: 'refused', word: 'Promise missed', text: `the oldest open charge is ${hours(left ?? 0)} past its ${window}` };
  if (left !== null && left < LAST) return { tone: 'bad', shape: 'alert', word: 'Promise closes', text: `the oldest open charge has ${hours(left)} left of its ${window}` };
  if (schedule.overdue) return { tone: 'warn', shape: 'unknown', word: 'No recent pass', text: 'nothing looks for failed charges, and what is shown may be old' };
  if (promise.worstBroken && worst !== null) return { tone: 'bad', shape: 'part', word: 'Missed this week', text: `the slowest refund took ${hours(worst)}; nothing is late now` };
  return { tone: 'ok', shape: 'check', word: 'Promise kept', text: worst === null ? 'nothing is late, and no refund was due in 7 days' : `every refund of 7 days was posted within ${window}` };
}

/** What the percentiles say of the 4 h target, and no more: 90 of 100 known within it, fewer than 50, or between. */
export function target(promise: PromiseView): { readonly tone: Tone; readonly text: string } | null {
  const { refundSecondsP50: half, refundSecondsP90: most } = promise;
  if (half === null || most === null) return null;
  if (most * 1000 <= TARGET) return { tone: 'ok', text: 'over 90 of 100 within 4 h' };
  if (half * 1000 > TARGET) return { tone: 'bad', text: 'under 50 of 100 within 4 h' };
  return { tone: 'warn', text: '50 to 90 of 100 within 4 h' };
}

/** When this program starts the next pass by itself, in milliseconds; null where it starts none, or none began yet. */
export function nextPass(schedule: ScheduleView): number | null {
  if (schedule.everyMinutes === null || schedule.lastStartedAt === null) return null;
  return Date.parse(schedule.lastStartedAt) + schedule.everyMinutes * 60_000;
}

/** How long a pass took; null while it runs, or where it was stopped. */
export function took(pass: PassView): number | null {
  return pass.finishedAt === null ? null : Math.max(0, Date.parse(pass.finishedAt) - Date.parse(pass.startedAt));
}

/** Age of the oldest open charge when a pass ended; 0 where nothing was left open, null where it did not end. */
export function ageAfter(pass: PassView): number | null {
  if (pass.finishedAt === null) return null;
  return pass.oldestOpen === null ? 0 : Math.max(0, Date.parse(pass.finishedAt) - Date.parse(pass.oldestOpen));
}

/** What a pass came to, in one sentence for eyes and ears. */
export function told(pass: PassView): string {
  const many = (n: number, one: string, more = `${one}s`): string => `${count(n)} ${n === 1 ? one : more}`;
  const parts = [
    `${many(pass.lookedAt, 'run')} looked at`, `${many(pass.transferred, 'file')} transferred`,
    pass.restored > 0 ? `${many(pass.restored, 'item')} restored (${credits(pass.credits)})` : 'nothing to restore',
    ...(pass.waiting > 0 ? [`${count(pass.waiting)} waiting`] : []), ...(pass.unknown > 0 ? [`${count(pass.unknown)} not known`] : []),
    ...(pass.parked > 0 ? [`${count(pass.parked)} for people`] : []), ...(pass.incidents > 0 ? [many(pass.incidents, 'privacy incident')] : []),
  ];
  return parts.join(', ');
}

import { describe, expect, it } from 'vitest';

import type { PassView, PromiseView, ScheduleView } from '../lib/ipc/generated/contract';
import { ageAfter, finding, leftTone, nextPass, oldestAge, oldestLeft, target, told, took } from './promise';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-03-14T15:20:00Z');
const at = (ms: number): string => new Date(NOW + ms).toISOString();

const NONE: PromiseView = { windowHours: 24, openCharges: 0, openCredits: 0, parked: 0, oldestOpen: null, oldestDueAt: null, broken: false, refundSecondsP50: null, refundSecondsP90: null, refundSecondsWorst: null, worstBroken: false };
const open = (hours: number, more: Partial<PromiseView> = {}): PromiseView => ({ ...NONE, openCharges: 1, openCredits: 320, oldestOpen: at(-hours * HOUR), oldestDueAt: at((24 - hours) * HOUR), broken: hours > 24, ...more });
const SCHEDULE: ScheduleView = { everyMinutes: 60, offBecause: null, cadenceMinutes: 60, lastStartedAt: at(-20 * 60_000), lastFinishedAt: at(-19 * 60_000), overdue: false, overdueSince: null };
const PASS: PassView = { id: 'pass', worker: 'w', startedAt: at(0), finishedAt: at(41_000), lookedAt: 1, transferred: 1, restored: 1, credits: 320, waiting: 0, unknown: 0, parked: 0, detected: 0, incidents: 0, oldestOpen: at(-5 * HOUR), byProvider: [], problems: [] };

describe('the promise', () => {
  it.each([
    ['nothing open, nothing ever refunded', NONE, SCHEDULE, 'ok', 'Promise kept'],
    ['one open for 5 h', open(5), SCHEDULE, 'ok', 'Promise kept'],
    ['one in its last hour', open(23.5), SCHEDULE, 'bad', 'Promise closes'],
    ['exactly at 24 h: promised until then', open(24), SCHEDULE, 'bad', 'Promise closes'],
    ['one past 24 h', open(45), SCHEDULE, 'bad', 'Promise missed'],
    ['past since it was read', open(24.01, { broken: false }), SCHEDULE, 'bad', 'Promise missed'],
    ['no pass for hours, all well as far as is known', open(5), { ...SCHEDULE, overdue: true }, 'warn', 'No recent pass'],
    ['no pass for hours and one is late: the late one is said', open(30), { ...SCHEDULE, overdue: true }, 'bad', 'Promise missed'],
    ['a refund of this week was too slow', open(2, { refundSecondsWorst: 100_000, worstBroken: true }), SCHEDULE, 'bad', 'Missed this week'],
  ] as const)('%s', (_, promise, schedule, tone, word) => {
    const found = finding(promise, schedule, NOW);
    expect([found.tone, found.word]).toEqual([tone, word]);
    expect(found.text).not.toContain('NaN');
  });

  it('tells the age of the oldest and the time it has left', () => {
    expect([oldestAge(NONE, NOW), oldestLeft(NONE, NOW)]).toEqual([null, null]);
    expect([oldestAge(open(5), NOW), oldestLeft(open(5), NOW)]).toEqual([5 * HOUR, 19 * HOUR]);
    expect(oldestAge(open(-1), NOW)).toBe(0);
  });

  it.each([[null, 'ok'], [19 * HOUR, 'neutral'], [4 * HOUR, 'neutral'], [4 * HOUR - 1, 'warn'], [HOUR, 'warn'], [HOUR - 1, 'bad'], [-1, 'bad']] as const)('with %s left is %s', (left, tone) => {
    expect(leftTone(left)).toBe(tone);
  });

  it.each([
    [null, null, null], [600, 14_400, 'ok'], [600, 14_401, 'warn'], [14_401, 20_000, 'bad'], [14_400, 20_000, 'warn'],
  ] as const)('half in %s s and 9 of 10 in %s s: the target is %s', (half, most, tone) => {
    expect(target({ ...NONE, refundSecondsP50: half, refundSecondsP90: most })?.tone ?? null).toBe(tone);
  });

  it('knows the next pass only where this program starts it', () => {
    expect(nextPass(SCHEDULE)).toBe(NOW + 40 * 60_000);
    expect(nextPass({ ...SCHEDULE, everyMinutes: null })).toBeNull();
    expect(nextPass({ ...SCHEDULE, lastStartedAt: null })).toBeNull();
  });
});

describe('a pass', () => {
  it('tells how long it took and how old the oldest was after it', () => {
    expect([took(PASS), ageAfter(PASS)]).toEqual([41_000, 5 * HOUR + 41_000]);
    expect(ageAfter({ ...PASS, oldestOpen: null })).toBe(0);
    const stopped = { ...PASS, finishedAt: null };
    expect([took(stopped), ageAfter(stopped)]).toEqual([null, null]);
  });

  it.each([
    [PASS, '1 run looked at, 1 file transferred, 1 item restored (320 credits)'],
    [{ ...PASS, lookedAt: 0, transferred: 0, restored: 0, credits: 0 }, '0 runs looked at, 0 files transferred, nothing to restore'],
    [{ ...PASS, lookedAt: 3118, transferred: 9, restored: 4, credits: 1140, waiting: 7, unknown: 2, parked: 3, incidents: 1 }, '3,118 runs looked at, 9 files transferred, 4 items restored (1,140 credits), 7 waiting, 2 not known, 3 for people, 1 privacy incident'],
  ])('is told in one sentence', (pass, want) => expect(told(pass)).toBe(want));
});

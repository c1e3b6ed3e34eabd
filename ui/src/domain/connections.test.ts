import { describe, expect, it } from 'vitest';

import type { ConnectionRow, HealthView } from '../lib/ipc/generated/contract';
import { FakeConnections } from '../lib/ipc/fake/connections';
import { abilities, answered, beginning, finding, keeps, took } from './connections';

const NOW = Date.parse('2026-03-14T15:20:00Z');
const sample = (more: Partial<HealthView>, place: ConnectionRow['key']['place'] = 'keyring'): ConnectionRow => {
  const [row] = new FakeConnections('all').view('').rows;
  if (!row) throw new Error('the invented world has providers');
  return { ...row, key: { place, variable: null }, health: { ...row.health, last: null, leftAlone: null, ...more } };
};
const last = (status: number | null, keyTaken = false): HealthView['last'] => ({ at: '2026-03-14T15:19:00Z', tookMs: 5, status, keyTaken, why: '' });
const until = (seconds: number): string => new Date(NOW + seconds * 1000).toISOString();

describe('providers in words', () => {
  it('names first what keeps a connection from working', () => {
    const shut = { why: 'failing', until: until(18) } as const;
    for (const [row, word, tone] of [
      [sample({ last: last(200) }), 'Answered', 'ok'],
      [sample({ last: last(404) }), 'Answered', 'ok'],
      [sample({}), 'Not asked yet', 'neutral'],
      [sample({ last: last(401) }), 'Refused', 'bad'],
      [sample({ last: last(403, true) }), 'Answered', 'ok'],
      [sample({ last: last(null), leftAlone: shut }), 'Left alone for 18 s', 'bad'],
      [sample({ last: last(429), leftAlone: { why: 'asked', until: until(240) } }), 'Paused for 4 min', 'warn'],
      [sample({ last: last(200), leftAlone: { why: 'asked', until: until(-1) } }), 'Answered', 'ok'],
      [sample({ last: last(200), leftAlone: shut }, 'missing'), 'No key', 'warn'],
      [sample({}, 'waiting'), 'Keyring is locked', 'warn'],
    ] as const) {
      const found = finding(row, NOW);
      expect([found.word, found.tone]).toEqual([word, tone]);
    }
  });

  it('reads statuses as they concern the keeper', () => {
    const words = ([200, 404, 401, 403, 429, 500, 503, null] as const).map((status) => answered({ at: '', tookMs: 0, status, keyTaken: false, why: '' }).word);
    expect(words).toEqual(['Answered', 'Answered', 'Refused', 'Refused', 'Too often', 'Fault', 'Fault', 'No answer']);
  });

  it('says how long files are kept in the unit that is read most easily', () => {
    const kept = (minutes: number | null): string => keeps({ minutes, source: '', seen: null });
    expect([1, 10, 60, 90, 1440, 2880, 10_080, null].map(kept)).toEqual(['1 minute', '10 minutes', '1 hour', '90 minutes', '24 hours', '48 hours', '7 days', 'no limit is stated']);
    expect(keeps(null)).toBe('not known');
  });

  it('tells each ability, also where it is missing', () => {
    const can = { lookUp: true, listByTime: false, cost: false, cancel: false, webhook: true, givesExpiry: false };
    const told = abilities(can);
    expect(told.map((one) => one.can)).toEqual([true, false, true, false, false, false]);
    expect(new Set(told.map((one) => one.text)).size).toBe(6);
    expect(told.find((one) => one.id === 'cost')?.text).toBe('Offers nothing about what a job cost');
  });

  it('claims no use of what is only offered', () => {
    const can = { lookUp: true, listByTime: true, cost: true, cancel: true, webhook: true, givesExpiry: true };
    const unused = abilities(can).filter((one) => one.text.includes('not used here'));
    expect(unused.map((one) => one.id)).toEqual(['cost', 'cancel']);
  });

  it('keeps times and sentences short', () => {
    expect([0, 240, 1420, 59_999, 61_000].map(took)).toEqual(['0 ms', '240 ms', '1.4 s', '60.0 s', '1 min']);
    expect([beginning('the desktop’s keyring'), beginning('')]).toEqual(['The desktop’s keyring', '']);
  });
});

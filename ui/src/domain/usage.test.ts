import { describe, expect, it } from 'vitest';

import type { UsageRow } from '../lib/ipc/generated/contract';
import { byCharge, sinceDeduction } from './usage';

const row = (kind: UsageRow['kind'], id: string, at: string | null): UsageRow => ({ kind, id, runId: 'run_1', at, credits: 0, text: '', parts: [], tone: 'neutral' });

const TWO = [
  row('deduction', 'chg_1', '2026-03-12T08:00:46Z'), row('detection', '', '2026-03-12T08:30:00Z'), row('refund', 'rfd_1', '2026-03-12T15:30:05Z'), row('refund', 'rfd_2', '2026-03-12T16:00:46Z'),
  row('deduction', 'chg_2', '2026-03-12T09:00:00Z'), row('detection', '', null), row('refund', '', null),
];

describe('billing rows', () => {
  it('stand with the charge they tell of', () => {
    expect(byCharge(TWO).map((charge) => [charge.key, charge.rows.length])).toEqual([['chg_1', 4], ['chg_2', 3]]);
    expect(byCharge([])).toEqual([]);
  });

  it('without a deduction before them are shown all the same', () => {
    expect(byCharge([row('refund', 'rfd_9', null)])).toMatchObject([{ key: 'rows-0', deduction: undefined, rows: [{ id: 'rfd_9' }] }]);
  });

  it.each([
    [0, 0, null], [0, 1, 1_754_000], [0, 2, 26_959_000], [0, 3, 28_800_000], [1, 1, null], [1, 2, null],
  ])('tell how long after the deduction: charge %i, row %i is %s', (group, at, want) => {
    const charge = byCharge(TWO)[group];
    const found = charge?.rows[at];
    if (!charge || !found) throw new Error('no such row');
    expect(sinceDeduction(charge, found)).toBe(want);
  });

  it('say nothing of a time that runs backwards', () => {
    const charge = byCharge([row('deduction', 'chg', '2026-03-12T09:00:00Z'), row('refund', 'rfd', '2026-03-12T08:00:00Z')])[0];
    expect(charge && charge.rows[1] && sinceDeduction(charge, charge.rows[1])).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';

import { FakeHost } from '../lib/ipc/fake/host';
import type { FileDeadline } from '../lib/ipc/generated/contract';
import { chips, deadlineCell, dueLeft, findSections, lineAt, lineOf, OPEN_FILTER } from './queue';
import { QueueRows } from './queueRows.svelte';

const NOW = Date.parse('2026-03-14T15:20:00Z');
type Form = FileDeadline['form'];

function list(gone: number, running: number, rest: readonly Form[]): Form[] {
  return [...Array.from({ length: gone }, (): Form => 'gone'), ...Array.from({ length: running }, (): Form => 'running'), ...rest];
}

describe('sections', () => {
  const mixed = Array.from({ length: 40_000 }, (_, i): Form => (['none', 'saved', 'gone'] as const)[i % 3] ?? 'none');

  it.each<[string, Form[], [string, number][]]>([
    ['all three', list(4, 7, ['none', 'saved']), [['gone', 4], ['running', 7], ['rest', 2]]],
    ['no file gone', list(0, 5, ['saved', 'gone', 'none']), [['running', 5], ['rest', 3]]],
    ['nothing to lose', list(0, 0, ['none', 'gone']), [['rest', 2]]],
    ['everything running', list(0, 9, []), [['running', 9]]],
    ['100,000', list(3, 59_997, mixed), [['gone', 3], ['running', 59_997], ['rest', 40_000]]],
    ['one', list(0, 1, []), [['running', 1]]],
  ])('of a list with %s', async (_what, rows, want) => {
    let asked = 0;
    const heads = await findSections(rows.length, (i) => { asked += 1; return Promise.resolve(rows[i]); });
    expect(heads.map((head) => [head.stretch, head.rows])).toEqual(want);
    expect(heads.reduce((sum, head) => sum + head.rows, 0)).toBe(rows.length);
    expect(asked).toBeLessThan(60);
  });
  it('of nothing are none', async () => {
    expect(await findSections(0, () => Promise.resolve('none'))).toEqual([]);
  });
  it('that cannot be read are left out', async () => {
    expect(await findSections(3, () => Promise.resolve(undefined))).toEqual([]);
  });

  it('give each row and each head one line', () => {
    const heads = [{ stretch: 'running' as const, at: 0, rows: 2 }, { stretch: 'rest' as const, at: 2, rows: 1 }];
    const lines = Array.from({ length: 5 }, (_, g) => lineAt(heads, g));
    expect(lines.map((line) => (line.kind === 'head' ? 'head' : line.row))).toEqual(['head', 0, 1, 'head', 2]);
    expect([0, 1, 2].map((row) => lineOf(heads, row))).toEqual([1, 2, 4]);
  });
});

describe('deadline', () => {
  it.each([
    [{ form: 'running', until: '2026-03-14T16:07:00Z', share: 3 } as const, '0 h 47 min', 'bad'],
    [{ form: 'running', until: '2026-03-14T18:11:00Z', share: 6 } as const, '2 h 51 min', 'warn'],
    [{ form: 'running', until: '2026-03-20T18:11:00Z', share: 90 } as const, '6 d 2 h', 'neutral'],
    [{ form: 'running', until: '2026-03-14T15:00:00Z', share: 0 } as const, 'ended 20 min ago', 'bad'],
    [{ form: 'saved' } as const, 'Saved', 'ok'],
    [{ form: 'gone', at: '2026-03-13T10:00:00Z' } as const, 'gone 13 Mar', 'neutral'],
    [{ form: 'none' } as const, 'no file', 'neutral'],
  ])('%j is "%s"', (file, text, tone) => {
    expect(deadlineCell(file, NOW)).toMatchObject({ text, tone });
  });
  it('of a due time tells what is left or over', () => {
    expect(dueLeft('2026-03-14T17:10:00Z', NOW)).toEqual({ text: '1 h 50', tone: 'neutral' });
    expect(dueLeft('2026-03-14T15:50:00Z', NOW)).toEqual({ text: '30 min', tone: 'warn' });
    expect(dueLeft('2026-03-14T13:20:00Z', NOW)).toEqual({ text: '2 h 00 over', tone: 'bad' });
    expect(dueLeft('2026-03-09T12:00:00Z', NOW)).toEqual({ text: '5 d over', tone: 'bad' });
    expect(dueLeft('2026-03-18T12:00:00Z', NOW)).toEqual({ text: '3 d', tone: 'neutral' });
  });
});

describe('chips', () => {
  it('say what is filtered, and undo exactly that', () => {
    const filter = { ...OPEN_FILTER, mine: true, desks: ['Zendesk', 'Zammad'], search: 'veo' };
    const shown = chips(filter, (word) => word);
    expect(shown.map((chip) => `${chip.label} ${chip.value}`)).toEqual(['Status not settled', 'Desk Zendesk, Zammad', 'Owner me', 'Contains veo']);
    expect(shown[2]?.without).toEqual({ ...filter, mine: false });
  });
});

describe('rows of the queue', () => {
  it('come by window from 100,000, never more than 200 at once', async () => {
    const host = new FakeHost({ rows: 100_000 });
    const limits: number[] = [];
    const query = host.query.bind(host);
    host.query = (cmd, payload) => {
      if ('limit' in payload && typeof payload.limit === 'number') limits.push(payload.limit);
      return query(cmd, payload);
    };
    const rows = new QueueRows(host, OPEN_FILTER);
    await rows.refresh();
    rows.need(70_000, 70_040);
    await expect.poll(() => rows.row(70_020)?.caseId).toBe('case-070021');
    expect(rows.row(0)).toBeDefined();
    expect(Math.max(...limits)).toBeLessThanOrEqual(200);
    expect(limits.length).toBeLessThan(60);
    expect(rows.heads.reduce((sum, head) => sum + head.rows, 0)).toBe(rows.total);
  });

  it('stay when they cannot be read again', async () => {
    const host = new FakeHost();
    const rows = new QueueRows(host, OPEN_FILTER);
    await rows.refresh();
    host.become({ failing: ['queue'] });
    await rows.refresh();
    expect(rows.failed?.code).toBe('unavailable');
    expect(rows.row(1)?.ticketId).toBe('TCK-1043');
    host.become({ failing: [] });
    await rows.refresh();
    expect(rows.failed).toBeUndefined();
  });
});

import { describe, expect, it, vi } from 'vitest';

import type { TransferView } from '../lib/ipc/generated/contract';
import { FakeHost } from '../lib/ipc/fake/host';
import { Transferring } from './transferring.svelte';
import { amount, keyed, keyOf, rate, resumed, share, timeLeft, together, whatCancelDoes } from './transfers';

const transfer = (more: Partial<TransferView> = {}): TransferView => ({
  actionKey: 'key-1', caseId: 'case-1', runId: 'run_1', item: 1, providerId: 'veo', phase: 'downloading', receivedBytes: 10_000_000,
  totalBytes: 40_000_000, startedAt: '2026-03-14T15:20:00Z', bytesPerSecond: 1_500_000, secondsLeft: 20, canCancel: true, ...more,
});

describe('a file on its way', () => {
  it.each([
    [transfer(), 0.25, '10.0 MB of 40.0 MB', '1.5 MB/s', 'about 20 s left'],
    [transfer({ totalBytes: null, secondsLeft: null }), null, '10.0 MB so far', '1.5 MB/s', ''],
    [transfer({ phase: 'asking', receivedBytes: 0, bytesPerSecond: null, secondsLeft: null }), 0, '0 B of 40.0 MB', '', ''],
    [transfer({ phase: 'verifying', receivedBytes: 40_000_000, secondsLeft: null }), 1, '40.0 MB of 40.0 MB', '1.5 MB/s', ''],
    [transfer({ receivedBytes: 41_000_000, secondsLeft: 1 }), 1, '41.0 MB of 40.0 MB', '1.5 MB/s', 'a moment left'],
  ])('%#: is told in part, amount, rate and time', (row, part, words, speed, rest) => {
    expect([share(row), amount(row), rate(row), timeLeft(row)]).toEqual([part, words, speed, rest]);
  });

  it('adds up where every length is known', () => {
    expect(together([transfer(), transfer({ item: 2, receivedBytes: 30_000_000 })])).toBe(0.5);
    expect(together([transfer(), transfer({ totalBytes: null })])).toBeNull();
    expect(together([])).toBeNull();
  });

  it('is resumed where its act is older than this program', () => {
    const act = { key: 'key-1', kind: 'recover', title: '', state: 'running', why: null, retry: false, agent: 'a', at: '2026-03-14T15:10:00Z', finishedAt: null, readBack: [], repeated: false, approvalNeed: null } as const;
    expect(resumed(transfer(), [{ ...act, readBack: [] }], '2026-03-14T15:19:00Z')).toBe(true);
    expect(resumed(transfer(), [{ ...act, readBack: [] }], '2026-03-14T15:09:00Z')).toBe(false);
    expect(resumed(transfer({ actionKey: null }), [{ ...act, readBack: [] }], '2026-03-14T15:19:00Z')).toBe(false);
  });

  it('says before it is ended what that does', () => {
    expect(whatCancelDoes(transfer())).toContain('The 10.0 MB that are here are thrown away');
    expect(whatCancelDoes(transfer({ receivedBytes: 0 }))).toContain('Nothing of it is here yet');
    expect(whatCancelDoes(transfer({ actionKey: null }))).toContain('brought again when its run is looked at again');
  });
});

describe('the rows of a list', () => {
  it('have a key each, also where two are of one file', () => {
    const saved = transfer({ actionKey: null });
    const rows = [saved, transfer(), { ...saved, startedAt: '2026-03-14T15:21:00Z' }, { ...saved }];
    expect(new Set(keyed(rows).map((one) => one.key)).size).toBe(4);
    expect(keyed([saved, transfer()]).map((one) => one.key)).toEqual([keyOf(saved), keyOf(transfer())]);
  });
});

describe('the board of files', () => {
  it('speaks at the beginning and at half of a long one, and keeps still between', async () => {
    const host = new FakeHost({ transfers: [transfer()] });
    const said: string[] = [];
    const board = new Transferring(host, (words) => said.push(words));
    await board.read();
    host.become({ transfers: [transfer({ receivedBytes: 15_000_000 })] });
    await board.read();
    host.become({ transfers: [transfer({ receivedBytes: 21_000_000 })] });
    await board.read();
    host.become({ transfers: [transfer({ receivedBytes: 30_000_000 })] });
    await board.read();
    board.stop();
    expect(said).toEqual(['Item 1 is on its way', 'Half of item 1 is here']);
    expect(board.ofCase('case-1', []).length).toBe(1);
    expect(board.ofCase('case-2', ['run_1']).length).toBe(0);
  });

  it('ends one once, and says why where it cannot', async () => {
    const host = new FakeHost({ transfers: [transfer(), transfer({ item: 2, phase: 'recording', canCancel: false })] });
    const board = new Transferring(host, vi.fn());
    await board.read();
    expect(await board.cancel(transfer())).toBe('');
    expect(board.rows.map((row) => row.item)).toEqual([2]);
    expect(await board.cancel(transfer({ item: 2 }))).toContain('kept already');
    board.stop();
  });

  it('keeps what it showed where the core does not answer', async () => {
    const host = new FakeHost({ transfers: [transfer()] });
    const board = new Transferring(host, vi.fn());
    await board.read();
    host.become({ failing: ['transfers', 'cancel_transfer'] });
    await board.read();
    expect(board.rows.length).toBe(1);
    expect(await board.cancel(transfer())).toContain('cannot be opened');
    board.stop();
  });
});

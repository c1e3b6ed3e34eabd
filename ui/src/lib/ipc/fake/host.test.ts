import { describe, expect, it } from 'vitest';

import type { QueueFilter } from '../generated/contract';
import { HostError } from '../host';
import { FakeHost, optionsFrom } from './host';

const CASE = 'case-000002';
const ALL: QueueFilter = { states: [], verdicts: [], remedies: [], desks: [], mine: false, dueToday: false, fileAtRisk: false, search: '', order: 'lost_first' };

describe('the in-memory core', () => {
  it('tells the same world every time', async () => {
    const [one, two] = await Promise.all([new FakeHost(), new FakeHost()].map((host) => host.query('case_detail', { caseId: 'case-000017' })));
    expect(one).toEqual(two);
  });

  it('answers a key that was used with what came of it', async () => {
    const host = new FakeHost();
    const sheet = await host.query('review', { caseId: CASE, kind: 'recover', answer: null });
    const request = { caseId: CASE, kind: 'recover' as const, answer: null, caseRevision: sheet.caseRevision, digest: sheet.digest, reviewedAt: sheet.madeAt, key: 'k', reason: null };
    const first = await host.act('confirm', request);
    expect(await host.act('confirm', request)).toEqual({ ...first, repeated: true });
    expect((await host.query('case_detail', { caseId: CASE })).actions).toHaveLength(1);
  });

  it('refuses more than 200 rows, and cases that do not exist', async () => {
    const host = new FakeHost();
    await expect(host.query('queue', { filter: ALL, offset: 0, limit: 201 })).rejects.toMatchObject({ code: 'bad_request' });
    await expect(host.query('case_detail', { caseId: 'case-999999' })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('reads its moods from the address', () => {
    expect(optionsFrom('?rows=100000&latency=400&failing=queue,outbox&outcome=unknown&conflict')).toEqual({ rows: 100_000, latency: 400, failing: ['queue', 'outbox'], outcome: 'unknown', conflict: true });
    expect(optionsFrom('?outcome=magic')).toEqual({});
  });
});

describe('errors of the host', () => {
  it('keep what the core said', () => {
    const error = HostError.from({ code: 'stale', message: 'changed', retry: true, incident: 'log-1' });
    expect([error.code, error.message, error.retry, error.incident]).toEqual(['stale', 'changed', true, 'log-1']);
  });
  it.each([new Error('pipe broke'), 'pipe broke', { message: 5 }, null])('are no answer where nothing was said: %j', (thrown) => {
    expect(HostError.from(thrown).code).toBe('unreachable');
  });
});

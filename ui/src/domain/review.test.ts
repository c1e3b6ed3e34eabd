import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeHost } from '../lib/ipc/fake/host';
import type { ActionView, ConfirmRequest } from '../lib/ipc/generated/contract';
import { HostError } from '../lib/ipc/host';
import { ARM_MS, Review, Reviews } from './review.svelte';

const CASE = 'case-000002';

/** A fake core that notes the keys it was given. */
function watched(options: ConstructorParameters<typeof FakeHost>[0] = {}): { host: FakeHost; keys: string[]; lose: (times: number) => void } {
  const host = new FakeHost(options);
  const keys: string[] = [];
  let losing = 0;
  const act = host.act.bind(host);
  host.act = async (cmd, payload) => {
    if (cmd === 'confirm') keys.push((payload as ConfirmRequest).key);
    if (cmd === 'confirm' && losing > 0) {
      losing -= 1;
      throw new HostError('unreachable', 'no answer', true);
    }
    return act(cmd, payload);
  };
  return { host, keys, lose: (times) => { losing = times; } };
}

describe('a review', () => {
  let made = 0;
  const newKey = (): string => { made += 1; return `key-${made}`; };
  const after = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

  beforeEach(() => { vi.useFakeTimers(); made = 0; });
  afterEach(() => { vi.useRealTimers(); });

  async function ready(host: FakeHost, kind: 'recover' | 'restore' | 'hold' = 'recover'): Promise<Review> {
    const review = new Review(host, CASE, kind, newKey);
    void review.make(null);
    await after(1);
    expect(review.phase).toBe('ready');
    return review;
  }

  async function confirm(review: Review): Promise<void> {
    const confirming = review.confirm();
    await after(1);
    await confirming;
  }

  it('cannot be confirmed before it has stood for a moment', async () => {
    const { host, keys } = watched();
    const review = await ready(host);
    await confirm(review);
    expect(keys).toEqual([]);
    await after(ARM_MS);
    await confirm(review);
    expect(keys).toEqual(['key-1']);
    expect(review.outcome?.state).toBe('done');
  });

  it('asks for the agreement before a late result is released, and sends the same with both questions', async () => {
    const { host } = watched();
    const asked: unknown[] = [];
    const query = host.query.bind(host);
    host.query = async (cmd, payload) => {
      if (cmd === 'review') asked.push((payload as { consent?: unknown }).consent);
      return query(cmd, payload);
    };
    const review = new Review(host, CASE, 'release', newKey);
    await review.make(null);
    expect([review.phase, asked]).toEqual(['consent', []]);
    const now = Date.parse('2026-03-14T12:00:00Z');
    for (const [by, at, message, flaw] of [
      ['', '2026-03-14T11:00', 'yes', 'Say who agreed.'],
      ['Uma', '', 'yes', 'Say when, in UTC, as 2026-03-14 09:30.'],
      ['Uma', 'yesterday', 'yes', 'Say when, in UTC, as 2026-03-14 09:30.'],
      ['Uma', '2026-03-14T12:01', 'yes', 'That is in the future.'],
      ['Uma', '2026-03-14T11:00', '  ', 'Say in which message, by its id or its words.'],
    ] as const) {
      review.agreement = { by, at, message };
      await review.agreed(now);
      expect([review.agreementFlaw(now), review.phase, asked]).toEqual([flaw, 'consent', []]);
    }
    review.agreement = { by: ' Uma ', at: '2026-03-14 11:00', message: 'msg_7' };
    const agreed = review.agreed(now);
    await after(1);
    await agreed;
    expect(asked).toEqual([{ by: 'Uma', at: '2026-03-14T11:00:00.000Z', message: 'msg_7' }]);
    expect(review.drafted).toBe(review.sheet?.message?.text.trim());
    review.changeAgreement();
    expect([review.phase, review.consent, review.agreement.message]).toEqual(['consent', undefined, 'msg_7']);
  });

  it('is sent once, however often it is confirmed', async () => {
    const { host, keys } = watched();
    const review = await ready(host);
    await after(ARM_MS);
    void review.confirm();
    void review.confirm();
    await after(1);
    await review.confirm();
    expect(keys).toEqual(['key-1']);
  });

  it('that failed before any effect is reviewed again, as a new act', async () => {
    const { host, keys } = watched({ outcome: 'failed_before_effect' });
    const review = await ready(host);
    await after(ARM_MS);
    await confirm(review);
    expect([review.outcome?.state, review.pending]).toEqual(['failed_before_effect', false]);
    host.become({ outcome: 'done' });
    void review.make(null);
    await after(1 + ARM_MS);
    await confirm(review);
    expect(keys).toEqual(['key-1', 'key-2']);
    expect(review.outcome?.state).toBe('done');
  });

  it('without an answer is not known, and offers only the check', async () => {
    const { host, lose } = watched();
    const review = await ready(host);
    await after(ARM_MS);
    lose(1);
    await confirm(review);
    expect([review.phase, review.pending, review.canConfirm]).toEqual(['lost', true, false]);
    await review.make(null);
    expect(review.key).toBe('key-1');
  });

  it('that never arrived can be confirmed again, under the same key', async () => {
    const { host, keys, lose } = watched();
    const review = await ready(host);
    await after(ARM_MS);
    lose(1);
    await confirm(review);
    void review.check();
    await after(1 + ARM_MS);
    expect(review.phase).toBe('ready');
    await confirm(review);
    expect(keys).toEqual(['key-1', 'key-1']);
    expect(review.outcome?.state).toBe('done');
  });

  it('that is unknown becomes known by checking', async () => {
    const { host } = watched({ outcome: 'unknown' });
    const review = await ready(host);
    await after(ARM_MS);
    await confirm(review);
    expect([review.outcome?.state, review.pending]).toEqual(['unknown', true]);
    void review.check();
    await after(1);
    expect(review.outcome?.state).toBe('done');
  });

  it('of a case that changed says that nothing was done', async () => {
    const { host } = watched();
    const review = await ready(host);
    void host.act('choose_runs', { caseId: CASE, caseRevision: 3, runIds: ['run_x'], reason: 'named it' });
    await after(ARM_MS);
    await confirm(review);
    expect([review.phase, review.failed?.code]).toEqual(['failed', 'stale']);
    void review.make(null);
    await after(1);
    expect([review.phase, review.key]).toEqual(['ready', 'key-2']);
  });

  it('against the verdict needs a reason', async () => {
    const { host } = watched();
    const review = await ready(host, 'hold');
    await after(ARM_MS);
    expect([review.reasonMissing, review.canConfirm]).toEqual([true, false]);
    review.reason = ' the customer asked for it ';
    expect(review.canConfirm).toBe(true);
  });

  it('stays open while somebody else acts on the same case', async () => {
    const reviews = new Reviews(new FakeHost());
    const review = reviews.open(CASE, 'recover', null);
    await after(1 + ARM_MS);
    const other: ActionView = { key: 'ben-0000-0000-0001', kind: 'recover', title: 'Recover', state: 'running', why: null, retry: false, agent: 'ben', at: '2026-03-14T15:20:00Z', finishedAt: null, readBack: [], repeated: false, approvalNeed: null };
    expect(reviews.resume(CASE, other)).toBe(review);
    reviews.close(CASE);
    expect(reviews.resume(CASE, other).key).toBe(other.key);
    reviews.close(CASE);
  });

  it('is found again, key and all, when one comes back to the case', async () => {
    const reviews = new Reviews(new FakeHost());
    const review = reviews.open(CASE, 'recover', null);
    await after(1 + ARM_MS);
    const { key } = review;
    expect(reviews.open(CASE, 'recover', null)).toBe(review);
    expect(reviews.of(CASE)?.key).toBe(key);
    expect(reviews.open(CASE, 'recover', 'another answer')).not.toBe(review);
  });
});

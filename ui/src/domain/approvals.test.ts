import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeHost } from '../lib/ipc/fake/host';
import type { ApprovalsView, ApprovalView, DecideApprovalRequest } from '../lib/ipc/generated/contract';
import { HostError } from '../lib/ipc/host';
import { deciders, mayDecide, nameOf, speaks, stateNow, withLevels } from './approvals';
import { Asking } from './asking.svelte';
import { Decision } from './decision.svelte';
import { ARM_MS } from './review.svelte';

const NOW = Date.parse('2026-03-14T15:20:00Z');
const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString();
const REQUEST: ApprovalView = {
  id: 'apr-0000000000000001', caseId: 'case-000005', subject: 's', state: 'waiting', amount: 640, reason: 'why', digest: 'd', postings: [], releases: [], askedBy: 'agent-lena', askedAt: at(-4),
  decidedBy: null, decidedAt: null, note: null, expiresAt: at(10), usedBy: null, mine: false, canDecide: true,
};
const VIEW: ApprovalsView = {
  me: { id: 'agent-ana', name: 'Ana Prata', roles: ['agent', 'approver'], perPosting: 500, perDay: 1500, restoredToday: 0, enforced: true },
  people: [{ id: 'agent-ana', name: 'Ana Prata', roles: ['agent', 'approver'] }, { id: 'agent-ben', name: 'Ben Kowal', roles: ['approver'] }, { id: 'agent-lena', name: 'Lena Duarte', roles: ['agent'] }], rows: [], now: at(0),
};
const OPEN = { ...VIEW, me: { ...VIEW.me, enforced: false } };

describe('a request', () => {
  it.each([
    ['waiting', 10, 'waiting'], ['waiting', 0, 'expired'], ['approved', 1, 'approved'], ['approved', 0, 'expired'], ['approved', -1, 'expired'], ['used', -60, 'used'], ['declined', -60, 'declined'],
  ] as const)('%s, with %i minutes left, is %s', (state, minutes, want) => {
    expect(stateNow({ ...REQUEST, state, expiresAt: at(minutes) }, NOW)).toBe(want);
  });

  it.each([
    ['others’, by an approver the record knows', REQUEST, VIEW, true],
    ['the own one, on a record that knows the login', { ...REQUEST, mine: true, canDecide: false }, VIEW, false],
    ['the own one, where the record cannot know', { ...REQUEST, askedBy: 'agent-ana', mine: true, canDecide: false }, OPEN, true],
    ['where nobody else is recorded: by who says to be another person', REQUEST, { ...OPEN, people: VIEW.people.slice(2) }, true],
    ['on a record that knows logins, by no agent', { ...REQUEST, canDecide: false }, VIEW, false],
    ['one that was decided', { ...REQUEST, state: 'declined' as const }, VIEW, false],
  ])('can be decided: %s', (_, row, view, want) => expect(mayDecide(row, view)).toBe(want));

  it('is decided by people with the role, never by who asked', () => {
    expect(deciders({ ...REQUEST, askedBy: 'agent-ana' }, VIEW.people).map((person) => person.id)).toEqual(['agent-ben']);
  });

  it('names people, and shows the id of those it does not know', () => {
    expect([nameOf('agent-ana', VIEW), nameOf('agent-ben', VIEW), nameOf('agent-x', VIEW), nameOf('agent-ben', undefined), nameOf(null, VIEW)]).toEqual(['you', 'Ben Kowal', 'agent-x', 'agent-ben', 'nobody']);
  });

  it.each([['waiting', true], ['approved', true], ['declined', true], ['expired', true], ['used', false], ['withdrawn', false]] as const)('%s speaks on its case: %s', (state, want) => {
    expect([speaks({ ...REQUEST, state }, false), speaks({ ...REQUEST, state }, true), speaks(null, false)]).toEqual([want, false, false]);
  });

  it('shows levels of the balances it knows, one line after the other', () => {
    const line = { chargeId: 'chg', runId: 'run', accountId: 'acc', items: [1], balanceId: 'q', kind: 'wallet' as const, label: 'Wallet', amount: 70 };
    const levels = withLevels([line, { ...line, chargeId: 'chg-2' }, { ...line, balanceId: 'unknown' }], [{ balanceId: 'q', kind: 'wallet', label: 'Wallet', current: 100 }]);
    expect(levels.map(({ before, after }) => [before, after])).toEqual([[100, 170], [170, 240], [null, null]]);
  });
});

describe('a decision', () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });
  const after = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

  function watched(...failing: HostError[]): { host: FakeHost; sent: DecideApprovalRequest[] } {
    const host = new FakeHost();
    const sent: DecideApprovalRequest[] = [];
    const act = host.act.bind(host);
    host.act = async (cmd, payload) => {
      if (cmd === 'decide_approval') sent.push(payload as DecideApprovalRequest);
      const failed = failing.shift();
      if (failed) throw failed;
      return act(cmd, payload);
    };
    return { host, sent };
  }
  async function waiting(host: FakeHost): Promise<ApprovalView> {
    const asked = host.query('approvals', { openOnly: false, limit: 200 });
    await after(1);
    const row = (await asked).rows[0];
    if (!row) throw new Error('the invented world has no request');
    return row;
  }

  it('is sent once, only after it stood for a moment, and is what was looked at', async () => {
    const { host, sent } = watched();
    const row = await waiting(host);
    const decision = new Decision(host, row, 'approve', 'agent-ben', true);
    await decision.confirm();
    expect(sent).toEqual([]);
    await after(ARM_MS);
    void decision.confirm();
    void decision.confirm();
    await after(1);
    expect(sent).toEqual([{ id: row.id, digest: row.digest, say: 'approve', by: 'agent-ben', note: null }]);
    expect([decision.phase, decision.result?.state, decision.result?.decidedBy]).toEqual(['done', 'approved', 'agent-ben']);
  });

  it('needs a person where the record knows none, and a note where it says no', async () => {
    const { host } = watched();
    const decision = new Decision(host, await waiting(host), 'approve', null, true);
    await after(ARM_MS);
    expect([decision.personMissing, decision.canConfirm]).toEqual([true, false]);
    decision.by = 'agent-ben';
    expect(decision.canConfirm).toBe(true);
    decision.choose('decline');
    expect(decision.armed).toBe(false);
    await after(ARM_MS);
    expect([decision.noteMissing, decision.canConfirm]).toEqual([true, false]);
    decision.note = ' It was delivered. ';
    expect(decision.canConfirm).toBe(true);
  });

  it('without an answer can be sent again', async () => {
    const { host, sent } = watched(new HostError('unreachable', 'no answer', true));
    const row = await waiting(host);
    const decision = new Decision(host, row, 'approve', null, false);
    await after(ARM_MS);
    void decision.confirm();
    await after(1);
    expect(decision.phase).toBe('lost');
    void decision.confirm();
    await after(1);
    expect([decision.phase, sent.length]).toEqual(['done', 2]);
  });

  it('that comes second is refused, and says who was first', async () => {
    const { host } = watched();
    const row = await waiting(host);
    const [one, two] = [new Decision(host, row, 'approve', 'agent-ben', true), new Decision(host, row, 'decline', 'agent-ana', true)];
    two.note = 'no';
    await after(ARM_MS);
    void one.confirm();
    await after(1);
    void two.confirm();
    await after(1);
    expect([one.phase, two.phase]).toEqual(['done', 'refused']);
    expect(two.failed?.message).toContain('approved by Ben Kowal');
  });
});

describe('asking', () => {
  it('needs a reason, asks once, and keeps its id over a lost answer', async () => {
    const host = new FakeHost({ limit: 10 });
    const sheet = await host.query('review', { caseId: 'case-000013', kind: 'restore', answer: null });
    const ids: string[] = [];
    const act = host.act.bind(host);
    let lose = true;
    host.act = async (cmd, payload) => {
      ids.push((payload as { id: string }).id);
      const answer = await act(cmd, payload);
      if (lose) { lose = false; throw new HostError('unreachable', 'the answer was lost', true); }
      return answer;
    };
    const asking = new Asking(host, sheet, null, 'apr-0000000000000042');
    await asking.ask();
    expect([ids.length, asking.canAsk]).toEqual([0, false]);
    asking.reason = ' because ';
    await asking.ask();
    expect([asking.asked, asking.failed?.code, asking.canAsk]).toEqual([undefined, 'unreachable', true]);
    await asking.ask();
    expect(ids).toEqual(['apr-0000000000000042', 'apr-0000000000000042']);
    expect([asking.asked?.reason, asking.canAsk]).toEqual(['because', false]);
    const rows = (await host.query('approvals', { openOnly: false, limit: 200 })).rows.filter((row) => row.caseId === 'case-000013');
    expect(rows).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';

import { FakeHost } from '../../lib/ipc/fake/host';
import type { Query } from '../../lib/ipc/host';
import { Fact, Facts } from './facts.svelte';

/** A core whose questions are counted. */
function counting(): { facts: Facts; host: FakeHost; asked: Query[] } {
  const host = new FakeHost();
  const asked: Query[] = [];
  const query = host.query.bind(host);
  host.query = (cmd, payload) => { asked.push(cmd); return query(cmd, payload); };
  return { facts: new Facts(host), host, asked };
}

const CASE = 'case-000002';

describe('facts', () => {
  it('are asked for once, however often they are wanted', async () => {
    const { facts, asked } = counting();
    expect(facts.of('case_detail', { caseId: CASE })).toBe(facts.of('case_detail', { caseId: CASE }));
    await expect.poll(() => facts.of('case_detail', { caseId: CASE }).value?.head.caseId).toBe(CASE);
    expect(asked).toEqual(['case_detail']);
  });

  it('stay, with the reason, when they cannot be read again', async () => {
    const { facts, host } = counting();
    const fact = facts.of('case_detail', { caseId: CASE });
    await expect.poll(() => fact.value).toBeDefined();
    host.become({ failing: ['case_detail'] });
    await fact.refresh();
    expect([fact.value?.head.caseId, fact.failed?.code, facts.failed?.code]).toEqual([CASE, 'unavailable', 'unavailable']);
    host.become({ failing: [] });
    await fact.refresh();
    expect([fact.failed, facts.failed]).toEqual([undefined, undefined]);
  });

  it.each([
    [{ topic: 'case', caseId: CASE } as const, 1], [{ topic: 'case', caseId: '' } as const, 1], [{ topic: 'case', caseId: 'case-000009' } as const, 0],
    [{ topic: 'action', key: 'k', caseId: CASE } as const, 1], [{ topic: 'audit' } as const, 0],
  ])('of a case are read again after %j: %i times', async (topic, times) => {
    const { facts, asked } = counting();
    await facts.of('case_detail', { caseId: CASE }).refresh();
    await expect.poll(() => asked.length).toBe(2);
    asked.length = 0;
    facts.changed(topic);
    await new Promise((resolve) => { setTimeout(resolve); });
    expect(asked.length).toBe(times);
  });

  it('that the frame shows are never forgotten, cases are', async () => {
    const { facts, asked } = counting();
    const outbox = facts.of('outbox', {});
    const first = facts.of('case_detail', { caseId: CASE });
    for (let n = 1; n <= 100; n += 1) facts.of('note_template', { caseId: `case-${n}` });
    expect(facts.of('outbox', {})).toBe(outbox);
    expect(facts.of('case_detail', { caseId: CASE })).not.toBe(first);
    asked.length = 0;
    facts.changed({ topic: 'outbox' });
    await expect.poll(() => asked).toContain('outbox');
  });

  it('asked for while being read are read once more, not once for each', async () => {
    let reads = 0;
    const fact = new Fact(() => { reads += 1; return Promise.resolve(reads); });
    await Promise.all([fact.refresh(), fact.refresh(), fact.refresh()]);
    expect([reads, fact.value]).toEqual([2, 2]);
  });
});

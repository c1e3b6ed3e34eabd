import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeHost } from '../lib/ipc/fake/host';
import { Draft, Drafts, SAVE_MS } from './drafts.svelte';

const CASE = 'case-000002';

describe('a draft', () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  async function stored(host: FakeHost): Promise<string | undefined> {
    const detail = host.query('case_detail', { caseId: CASE });
    await vi.advanceTimersByTimeAsync(1);
    return (await detail).drafts[0]?.text;
  }

  it('is saved within half a second, though typing never pauses', async () => {
    const host = new FakeHost();
    const draft = new Draft(host, CASE, 'internal_note');
    for (const text of ['a', 'ab', 'abc', 'abcd', 'abcde']) {
      draft.edit(text);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(SAVE_MS).toBeLessThanOrEqual(500);
    expect(await stored(host)).toBe('abcde'.slice(0, 4));
    await vi.advanceTimersByTimeAsync(2 * SAVE_MS);
    expect(await stored(host)).toBe('abcde');
    expect(draft.state).toBe('saved');
  });

  it('keeps its text when it cannot be saved, and is saved later', async () => {
    const host = new FakeHost({ failing: ['save_draft'] });
    const draft = new Draft(host, CASE, 'internal_note');
    draft.edit('not lost');
    await vi.advanceTimersByTimeAsync(SAVE_MS + 1);
    expect([draft.state, draft.text]).toEqual(['failed', 'not lost']);
    host.become({ failing: [] });
    await vi.advanceTimersByTimeAsync(6000);
    expect(draft.state).toBe('saved');
    expect(await stored(host)).toBe('not lost');
  });

  it('begins anew from another text, with what was written put aside', () => {
    const draft = new Draft(new FakeHost(), CASE, 'reply');
    draft.edit('about the verdict');
    draft.restart('about the debit', draft.text);
    expect([draft.text, draft.aside, draft.state]).toEqual(['about the debit', 'about the verdict', 'unsaved']);
    draft.putBack();
    expect([draft.text, draft.aside]).toEqual(['about the verdict', 'about the debit']);
    const untouched = new Draft(new FakeHost(), CASE, 'reply');
    untouched.restart('about the debit', '');
    expect(untouched.aside).toBe('');
  });

  it('is not overwritten by what the record has while it is unsaved', () => {
    const draft = new Draft(new FakeHost(), CASE, 'internal_note');
    draft.edit('mine');
    draft.load({ kind: 'internal_note', text: 'older', author: 'Ben', revision: 9, savedAt: '2026-03-14T15:00:00Z' });
    expect(draft.text).toBe('mine');
  });

  it.each([
    ['mine', 'mine', 'Ben: storage on-call confirmed the outage of that evening, ticket OPS-311.'], ['theirs', 'Ben: storage', 'mine'], ['both', 'Ben: storage', ''],
  ] as const)('in conflict loses nothing: %s', async (choice, begins, aside) => {
    const host = new FakeHost({ conflict: true });
    const draft = new Draft(host, CASE, 'internal_note');
    draft.edit('mine');
    await vi.advanceTimersByTimeAsync(SAVE_MS + 1);
    expect([draft.state, draft.text, draft.theirs?.author]).toEqual(['conflict', 'mine', 'Ben Kowal']);
    const settled = draft.settle(choice);
    await vi.advanceTimersByTimeAsync(1);
    await settled;
    expect(draft.state).toBe('saved');
    expect(draft.text.startsWith(begins)).toBe(true);
    if (choice === 'both') expect(draft.text.endsWith('mine')).toBe(true);
    expect(draft.aside).toBe(aside);
  });

  it('put aside can be put back', async () => {
    const draft = new Draft(new FakeHost({ conflict: true }), CASE, 'internal_note');
    draft.edit('mine');
    await vi.advanceTimersByTimeAsync(SAVE_MS + 1);
    await draft.settle('theirs');
    draft.putBack();
    expect(draft.text).toBe('mine');
    expect(draft.aside).toMatch(/^Ben: storage/);
  });

  it('outlives the view that shows it', () => {
    const drafts = new Drafts(new FakeHost());
    drafts.of(CASE, 'reply').edit('half a sentence');
    expect(drafts.of(CASE, 'reply').text).toBe('half a sentence');
    expect(drafts.of(CASE, 'internal_note').text).toBe('');
  });
});

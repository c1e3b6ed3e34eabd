/** Reading requests for a second person (R53). */
import type { ApprovalPosting, ApprovalState, ApprovalsView, ApprovalView, BalanceView, PersonView } from '../lib/ipc/generated/contract';

/** Every request that is still looked at: one question, asked once for rail, case and view. */
export const REQUESTS = { openOnly: false, limit: 200 } as const;

/** A state as it is now: a yes that was not used in time is void, whatever the record last said. */
export function stateNow(approval: ApprovalView, now: number): ApprovalState {
  const over = approval.expiresAt !== null && Date.parse(approval.expiresAt) <= now;
  return over && (approval.state === 'approved' || approval.state === 'waiting') ? 'expired' : approval.state;
}

/** People who may say yes or no to a request: those with the role, never who asked. */
export function deciders(approval: ApprovalView, people: readonly PersonView[]): PersonView[] {
  return people.filter((person) => person.roles.includes('approver') && person.id !== approval.askedBy);
}

/** Whether somebody at this window may decide: on a record that knows logins only the person logged in, else whoever says to be another one. */
export function mayDecide(approval: ApprovalView, view: ApprovalsView): boolean {
  if (approval.state !== 'waiting') return false;
  return view.me.enforced ? approval.canDecide : true;
}

/** A person by name; who is not known by name stays an id. */
export function nameOf(id: string | null, view: ApprovalsView | undefined): string {
  if (id === null) return 'nobody';
  if (id === view?.me.id) return 'you';
  return view?.people.find((person) => person.id === id)?.name ?? id;
}

/** A line of what would be restored; the levels are null where the balance is not among those of the case. */
export interface LevelledPosting extends ApprovalPosting {
  readonly before: number | null;
  readonly after: number | null;
}

/** Whether a request still has something to say on its case: one that was used or withdrawn has not. */
export function speaks(approval: ApprovalView | null, settled: boolean): approval is ApprovalView {
  return approval !== null && !settled && approval.state !== 'used' && approval.state !== 'withdrawn';
}

/** What is asked for, held against the balances of now; several lines on one balance add up. */
export function withLevels(postings: readonly ApprovalPosting[], balances: readonly BalanceView[]): LevelledPosting[] {
  const level = new Map(balances.map((balance) => [balance.balanceId, balance.current]));
  return postings.map((posting) => {
    const before = level.get(posting.balanceId) ?? null;
    const after = before === null ? null : before + posting.amount;
    if (after !== null) level.set(posting.balanceId, after);
    return { ...posting, before, after };
  });
}

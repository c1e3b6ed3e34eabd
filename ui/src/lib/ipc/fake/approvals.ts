/** Requests for a second person in the invented world, and the people who may say yes. */
import type { ApprovalPosting, ApprovalState, ApprovalView, ApprovalsView, AskApprovalRequest, DecideApprovalRequest, IdentityView, PersonView, QueueRow } from '../generated/contract';
import { HostError } from '../host';
import { restoredLines } from './cases';
import { iso } from './queue';

/** Minutes a yes can be used; the same as on a record. */
const USABLE_MIN = 15;
const MINUTE = 60_000;
const DIGEST = '5e0d4b7a91c2f3684d0a7b1e9c5f2a3d8e6b4c1f0a9d7e5b3c2f1a0e9d8c7b6a';

export const PEOPLE: readonly PersonView[] = [
  { id: 'agent-ana', name: 'Ana Prata', roles: ['agent', 'approver'] }, { id: 'agent-ben', name: 'Ben Kowal', roles: ['agent', 'approver'] },
  { id: 'agent-lena', name: 'Lena Duarte', roles: ['agent'] },
];
const ME = 'agent-ana';

export function postingsOf(row: QueueRow): ApprovalPosting[] {
  return restoredLines(row).map(({ chargeId, runId, balanceId, kind, label, amount }) => ({ chargeId, runId, accountId: 'acc_p5f1ap', items: [1], balanceId, kind, label, amount }));
}

type Kept = Omit<ApprovalView, 'mine' | 'canDecide'>;

export class FakeApprovals {
  #rows: Kept[];
  readonly #enforced: () => boolean;
  readonly #row: (caseId: string) => QueueRow;

  constructor(start: number, row: (caseId: string) => QueueRow, enforced: () => boolean) {
    this.#row = row;
    this.#enforced = enforced;
    const told = (id: string, caseId: string, askedBy: string, minutes: number, state: ApprovalState, reason: string, decision: Partial<Kept> = {}): Kept => {
      const asked = start - minutes * MINUTE;
      // What was asked for is over anybody's limit: runs of a whole storyboard.
      const postings = postingsOf(row(caseId)).map((line) => ({ ...line, items: [1, 2, 3, 4, 5, 6], amount: line.amount * 12 }));
      return {
        id, caseId, subject: row(caseId).subject, state, amount: postings.reduce((sum, line) => sum + line.amount, 0), reason, postings, releases: [], digest: DIGEST, askedBy, askedAt: iso(asked),
        decidedBy: null, decidedAt: null, note: null, expiresAt: state === 'waiting' ? iso(asked + 24 * 60 * MINUTE) : null, usedBy: null, ...decision,
      };
    };
    this.#rows = [
      told('apr-lena-0000000001', 'case-000005', 'agent-lena', 4, 'waiting', 'The customer’s campaign starts Monday and the provider confirmed by phone that the job is lost.'),
      told('apr-ben-00000000002', 'case-000008', 'agent-ben', 38, 'waiting', 'Three failed runs of one storyboard, all reported by the provider as internal errors.'),
      told('apr-ana-00000000003', 'case-000011', ME, 51, 'waiting', 'Charged twice for one image; the second charge is the larger one.'),
      told('apr-lena-0000000004', 'case-000014', 'agent-lena', 190, 'used', 'Provider outage of the 12th, 9 items.', { decidedBy: 'agent-ben', decidedAt: iso(start - 182 * MINUTE), usedBy: '0d6e0b8e-restore' }),
      told('apr-ben-00000000005', 'case-000016', 'agent-ben', 260, 'declined', 'Customer asks for a gesture.', { decidedBy: 'agent-ana', decidedAt: iso(start - 250 * MINUTE), note: 'The clip was delivered at 09:12; see the storage row.' }),
      told('apr-lena-0000000006', 'case-000018', 'agent-lena', 1500, 'expired', 'Late result, the customer has moved on.'),
    ];
  }

  me(): IdentityView {
    return { id: ME, name: 'Ana Prata', roles: ['agent', 'approver'], perPosting: 500, perDay: 1500, restoredToday: 360, enforced: this.#enforced() };
  }

  view(now: string): ApprovalsView {
    return { me: this.me(), people: [...PEOPLE], rows: this.#rows.map(this.#shown), now };
  }

  /** The newest request of a case. */
  of(caseId: string): ApprovalView | null {
    const found = this.#rows.find((row) => row.caseId === caseId);
    return found ? this.#shown(found) : null;
  }

  ask(request: AskApprovalRequest, now: string): ApprovalView {
    const known = this.#rows.find((row) => row.id === request.id);
    if (known) return this.#shown(known);
    const row = this.#row(request.caseId);
    const restored = postingsOf(row);
    const amount = restored.reduce((sum, line) => sum + line.amount, 0);
    const { consent } = request;
    const releases = consent ? [{ runId: restored[0]?.runId ?? 'run_x', items: [1], refundIds: ['rfd_4c1d77'], amount, consent }] : [];
    const asked: Kept = {
      id: request.id, caseId: request.caseId, subject: row.subject, state: 'waiting', amount, reason: request.reason, postings: consent ? [] : restored, releases,
      digest: DIGEST, askedBy: ME, askedAt: now, decidedBy: null, decidedAt: null, note: null, expiresAt: iso(Date.parse(now) + 24 * 60 * MINUTE), usedBy: null,
    };
    this.#rows = [asked, ...this.#rows];
    return this.#shown(asked);
  }

  decide({ id, digest, say, note, by }: DecideApprovalRequest, now: string): ApprovalView {
    const before = this.#known(id, digest);
    const decider = this.#enforced() ? ME : (by ?? ME);
    if (decider === before.askedBy) throw new HostError('refused', 'Who asked cannot approve it: another person must.', false);
    if (before.state !== 'waiting') throw new HostError('refused', `This request was ${before.state} by ${nameOf(before.decidedBy ?? before.askedBy)} already. Nothing was changed.`, false);
    return this.#put({
      ...before, state: say === 'approve' ? 'approved' : 'declined', decidedBy: decider, decidedAt: now, note,
      expiresAt: say === 'approve' ? iso(Date.parse(now) + USABLE_MIN * MINUTE) : null,
    });
  }

  withdraw(id: string, digest: string, now: string): ApprovalView {
    return this.#put({ ...this.#known(id, digest), state: 'withdrawn', decidedBy: ME, decidedAt: now, expiresAt: null });
  }

  /** Marks a yes as used by an action. */
  use(caseId: string, key: string): void {
    this.#rows = this.#rows.map((row) => (row.caseId === caseId && row.state === 'approved' ? { ...row, state: 'used', usedBy: key } : row));
  }

  #known(id: string, digest: string): Kept {
    const known = this.#rows.find((row) => row.id === id);
    if (!known) throw new HostError('not_found', `There is no request ${id}.`, false);
    if (known.digest !== digest) throw new HostError('stale', 'The request changed since it was read.', true);
    return known;
  }

  #put(next: Kept): ApprovalView {
    this.#rows = this.#rows.map((row) => (row.id === next.id ? next : row));
    return this.#shown(next);
  }

  readonly #shown = (row: Kept): ApprovalView => ({ ...row, mine: row.askedBy === ME, canDecide: row.state === 'waiting' && row.askedBy !== ME });
}

function nameOf(id: string): string {
  return PEOPLE.find((person) => person.id === id)?.name ?? id;
}

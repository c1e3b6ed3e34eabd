/** Cases of the invented world, made from their row: one story a kind, told whole. */
import type {
  CandidateView, CaseDetail, ClaimRow, JobView, Lane, Offer, QueueRow, ReasonView, Shot, Timeline, UsageRow,
} from '../generated/contract';
import { iso, NOW, runIdOf } from './queue';
import { id, mix } from './random';
import { canvasOf } from './recovery';

const HOUR = 3_600_000;
const START = Date.parse(NOW);

/** Everything a story needs to agree with itself. */
interface Plot {
  readonly row: QueueRow;
  readonly n: number;
  readonly price: number;
  readonly run: string;
  readonly charge: string;
  readonly job: string;
  readonly project: string;
  readonly projectName: string;
  readonly node: string;
  readonly nodeLabel: string;
  readonly quota: string;
  readonly wallet: string;
  readonly fromQuota: number;
  readonly ran: number;
  readonly finished: number;
  readonly deadline: number | null;
  readonly recoverable: boolean;
  readonly settled: boolean;
}

function plotOf(row: QueueRow, settled: boolean): Plot {
  const n = Number(row.caseId.slice(5)) - 1;
  const price = row.amount ?? 70;
  const deadline = row.file.form === 'running' ? Date.parse(row.file.until) : null;
  const finished = deadline === null ? START - 47 * HOUR : deadline - 48 * HOUR;
  return {
    row, n, price, run: runIdOf(row.caseId), charge: id('chg_', 43, n), job: id('op-', 47, n, 10), project: id('prj_', 53, n),
    projectName: n === 1 ? 'Spring lookbook' : 'Trailer', node: id('nd_', 59, n, 6), nodeLabel: n === 1 ? 'Shot 4' : 'Titles',
    quota: id('bal_', 61, n, 6), wallet: id('bal_', 67, n, 6), fromQuota: n % 3 === 0 ? Math.floor(price / 3) : price,
    ran: finished - 472_000, finished, deadline, recoverable: row.remedy === 'recover_asset' || row.remedy === 'hold_asset', settled,
  };
}

const at = (ms: number): string => iso(ms);
const hm = (ms: number): string => at(ms).slice(11, 19);
const asOf = (seconds: number): string => at(START - seconds * 1000);

function claimRows(p: Plot): ClaimRow[] {
  const line = (field: string, said: string, agreement: ClaimRow['agreement'], rowId: string, found: string, remark: string, seconds: number): ClaimRow =>
    ({ field, said, agreement, id: rowId, found, remark, asOf: asOf(seconds) });
  return [
    line('project', p.project, 'agrees', p.project, p.projectName, 'owner wrote the ticket', 5),
    line('time', 'March 12, around 2:05pm Eastern', 'agrees', p.run, `${at(p.ran).slice(8, 10)} Mar ${hm(p.ran)} UTC`, '38 s before the time given', 5),
    line('model', `${p.row.model ?? 'a model'}, 1080p, 8 seconds`, 'agrees', '', `${p.row.model ?? ''}, 1080p, 8 s, 1 item`, 'only this run fits', 5),
    line('amount', `Billing shows -${p.price} credits`, 'agrees', p.charge, `−${p.price}`, p.fromQuota === p.price ? 'from subscription quota' : `${p.fromQuota} quota, ${p.price - p.fromQuota} wallet`, 4),
    line('refund', 'and no refund', 'agrees', '', 'No posting refers to this charge', '', 4),
    p.recoverable
      ? line('provider', 'the node says it finished', 'agrees', p.job, `succeeded ${hm(p.finished)}`, '41.3 MB kept', 3)
      : line('provider', 'it never finished', 'agrees', p.job, `failed ${hm(p.finished)}`, 'internal error', 3),
    p.recoverable
      ? line('output', 'there is nothing in it', p.settled ? 'agrees' : 'contradicts', p.settled ? id('out_', 71, p.n) : '', p.settled ? `${p.nodeLabel} shows the file` : `${p.nodeLabel} has no output; uploads: network, timeout, network`, '', 3)
      : line('output', 'red node, no file', 'agrees', '', `${p.nodeLabel} has no output`, 'none was made', 3),
  ];
}

function timeline(p: Plot): Timeline {
  const detail = (text: string): string => text;
  const lanes: Lane[] = [
    { name: 'ticket', label: 'Ticket', empty: '', events: [{ at: p.row.openedAt, until: null, label: 'opened', tone: 'neutral', id: p.row.ticketId, detail: detail(p.row.subject) }] },
    { name: 'charge', label: 'Charge', empty: 'none posted', events: [{ at: at(p.ran + 2000), until: null, label: `−${p.price}`, tone: 'info', id: p.charge, detail: `Charged ${p.price} for ${p.run}` }] },
    {
      name: 'provider', label: 'Provider', empty: 'never asked', events: [
        { at: at(p.ran + 3000), until: at(p.finished), label: p.recoverable ? 'finished' : 'failed', tone: p.recoverable ? 'ok' : 'bad', id: p.job, detail: p.recoverable ? 'Succeeded, one file' : 'Failed: internal error' },
        ...(p.deadline === null ? [] : [{ at: at(p.finished), until: at(p.deadline), label: 'file kept', tone: 'warn' as const, id: p.job, detail: 'The provider keeps the file until then' }]),
      ],
    },
    { name: 'webhook', label: 'Webhook', empty: 'none came', events: p.recoverable ? [{ at: at(p.finished + 1000), until: null, label: 'accepted', tone: 'ok', id: id('wh_', 73, p.n), detail: 'First attempt' }] : [] },
    {
      name: 'storage', label: 'Storage', empty: 'nothing stored', events: p.recoverable
        ? [0, 1, 2].map((i) => ({ at: at(p.finished + 20_000 + i * 90_000), until: null, label: ['network error', 'timeout', 'network error'][i] ?? '', tone: 'bad' as const, id: p.run, detail: 'item 1' }))
        : [],
    },
    { name: 'refund', label: 'Refund', empty: 'none posted', events: p.settled && !p.recoverable ? [{ at: asOf(2), until: null, label: `+${p.price}`, tone: 'ok', id: id('rfd_', 79, p.n), detail: 'Restored' }] : [] },
  ];
  const from = p.finished + 220_000;
  const until = Date.parse(p.row.openedAt);
  return { lanes, gaps: until > from ? [{ from: at(from), until: at(until), label: p.recoverable ? 'finished, never stored' : 'failed, never refunded' }] : [], now: NOW };
}

function usage(p: Plot): { rows: UsageRow[]; moves: string } {
  const parts = [
    ...(p.fromQuota > 0 ? [{ balanceId: p.quota, label: 'Subscription quota', credits: -p.fromQuota }] : []),
    ...(p.price > p.fromQuota ? [{ balanceId: p.wallet, label: 'Wallet', credits: p.fromQuota - p.price }] : []),
  ];
  const refunded = p.settled && !p.recoverable;
  return {
    moves: '',
    rows: [
      { kind: 'deduction', id: p.charge, runId: p.run, at: at(p.ran + 2000), credits: -p.price, text: '', parts, tone: 'info' },
      { kind: 'detection', id: p.row.caseId, runId: p.run, at: p.row.openedAt, credits: 0, text: `${p.row.verdictLabel.toLowerCase()}, from ticket`, parts: [], tone: p.row.tone },
      { kind: 'refund', id: refunded ? id('rfd_', 79, p.n) : '', runId: p.run, at: refunded ? asOf(2) : null, credits: refunded ? p.price : 0, text: refunded ? '' : p.recoverable ? 'file can be recovered' : 'due', parts: refunded ? parts.map((part) => ({ ...part, credits: -part.credits })) : [], tone: refunded ? 'ok' : 'neutral' },
    ],
  };
}

function reasons(p: Plot): ReasonView[] {
  return [
    { rule: 'P2', text: 'One run in scope fits project, model, time and amount.', facts: [{ source: 'canvas', id: p.run, at: at(p.ran), says: `${p.row.model ?? ''} on ${p.nodeLabel}` }] },
    { rule: 'P4', text: p.recoverable ? 'Recovery comes first, and the file can be had.' : 'No file was made, so its price is owed.', facts: [{ source: 'provider', id: p.job, at: at(p.finished), says: p.recoverable ? 'succeeded, 41.3 MB, exists now' : 'failed: internal error' }, { source: 'ledger', id: p.charge, at: at(p.ran + 2000), says: `charged ${p.price}, nothing refunded` }] },
    { rule: 'P7', text: p.recoverable ? 'Less than 24 hours are left until the provider deletes the file.' : 'There is no file to keep.', facts: [{ source: 'storage', id: '', at: null, says: 'no output stored' }] },
  ];
}

function job(p: Plot): JobView {
  return {
    jobId: p.job, runId: p.run, providerId: 'meridian', providerName: 'meridian', state: p.recoverable ? 'succeeded' : 'failed', tone: p.recoverable ? 'ok' : 'bad',
    error: p.recoverable ? null : 'INTERNAL: worker lost', submittedAt: at(p.ran + 3000), finishedAt: at(p.finished), lookedUpAt: asOf(3), canLookUp: true,
    items: [{ item: 1, state: p.recoverable ? 'succeeded' : 'failed', tone: p.recoverable ? 'ok' : 'bad', bytes: p.recoverable ? 41_333_219 : null, sha256Prefix: p.recoverable ? '137223a9c9d601b0' : '', existsNow: p.recoverable ? true : null, deadline: p.deadline === null ? null : at(p.deadline), retention: 'documented 48 h' }],
    answers: [{ id: `ans-${p.n}-2`, url: `https://api.meridian.example/v1/operations/${p.job}`, status: 200, fetchedAt: asOf(3) }, { id: `ans-${p.n}-1`, url: `https://api.meridian.example/v1/operations/${p.job}`, status: 200, fetchedAt: asOf(3600) }],
  };
}

function shots(p: Plot): Shot[] {
  return [
    { attachmentId: `shot-canvas-${p.n}`, name: 'canvas.png', mediaType: 'image/svg+xml', text: `/p/${p.project}\nShot 1\n${p.nodeLabel}  Completed\nMoodboard`, reads: [{ field: 'project', value: p.project, agreement: 'agrees', against: p.project }] },
    { attachmentId: `shot-billing-${p.n}`, name: 'billing.png', mediaType: 'image/svg+xml', text: `Usage\n${p.row.model ?? ''} - 1080p - 8s  Mar 12 2:04 PM  -${p.price}  Charged`, reads: [{ field: 'amount', value: String(p.price), agreement: 'agrees', against: p.charge }, { field: 'time', value: '12 Mar 14:04', agreement: 'agrees', against: p.charge }] },
  ];
}

function candidates(p: Plot): CandidateView[] {
  return [0, 1, 2].map((i) => ({
    runId: i === 0 ? p.run : id('run_', 83 + i, p.n), matched: false, troubled: i !== 2, project: p.projectName, node: ['Titles', 'Explosion', 'Moodboard'][i] ?? '',
    model: p.row.model ?? '', startedAt: at(p.ran + i * 26 * 60_000), credits: 70 + i * 30,
    reasonsFor: i === 2 ? ['model fits'] : ['project fits', 'model fits', `started ${4 + i * 26} min after the time given`],
    reasonsAgainst: i === 2 ? ['delivered on the canvas', 'amount differs'] : i === 1 ? ['amount differs: 100, not 70'] : ['another run is within 30 minutes'],
  }));
}

function offers(p: Plot): Offer[] {
  const file = 'no file was made';
  const offer = (kind: Offer['kind'], label: string, primary: boolean, whyNot: string | null = null): Offer => ({ kind, label, primary, allowed: whyNot === null, needsReason: false, whyNot });
  const done = p.settled ? 'the case is settled' : null;
  if (p.row.verdict === 'no_match') return [offer('ask', 'Ask for details', true, done), offer('route', 'Route to billing', false, done), offer('link', 'Link to a ticket', false, 'no older open ticket about these runs'), offer('restore', 'Restore credits', false, 'no run is matched')];
  if (p.recoverable) return [offer('recover', 'Recover output', true, done), offer('restore', `Restore ${p.price} credits`, false, 'recovery comes first: the file can be had (P4)'), offer('hold', 'Hold the file 14 days', false, done), offer('ask', 'Ask the customer', false, done), offer('answer', 'Answer only', false, done), offer('link', 'Link to a ticket', false, 'no older open ticket about this run')];
  return [offer('restore', `Restore ${p.price} credits`, true, done), offer('recover', 'Recover output', false, file), offer('ask', 'Ask the customer', false, done), offer('route', 'Route to billing', false, done), offer('answer', 'Answer only', false, done)];
}

const BODY = (p: Plot): string => `Hi,\n\nProject ID: ${p.project}\nRun: Thursday March 12, around 2:05pm Eastern\nModel: ${p.row.model ?? ''}, 1080p, 8 seconds\n\nThe node just says it finished but there is nothing in it. Billing shows -${p.price} credits and no refund, and it has been almost two days. I would rather have the clip than the credits, it is for a client on Monday.`;

const answer = (p: Plot): string => p.recoverable
  ? `Hi, your run on “${p.nodeLabel}” from March 12, 2:04 PM did finish; saving it to your project failed on our side. The clip is now in ${p.projectName}, on ${p.nodeLabel}. You were charged once, ${p.price} credits, and nothing was run again.`
  : `Hi, your run on “${p.nodeLabel}” from March 12, 2:04 PM failed at the model. ${p.price} credits are back where they came from, and the run no longer counts in your usage.`;

export function restoredLines(row: QueueRow): { balanceId: string; kind: 'subscription_quota' | 'wallet'; label: string; amount: number; before: number; after: number; chargeId: string; runId: string }[] {
  const p = plotOf(row, false);
  const base = { chargeId: p.charge, runId: p.run };
  return [
    ...(p.fromQuota > 0 ? [{ ...base, balanceId: p.quota, kind: 'subscription_quota' as const, label: 'Subscription quota', amount: p.fromQuota, before: 1022, after: 1022 + p.fromQuota }] : []),
    ...(p.price > p.fromQuota ? [{ ...base, balanceId: p.wallet, kind: 'wallet' as const, label: 'Wallet', amount: p.price - p.fromQuota, before: 300, after: 300 + p.price - p.fromQuota }] : []),
  ];
}

export interface Told { readonly settled: boolean; readonly revision: number; readonly chosen: { runId: string; reason: string } | null; readonly assignee: string | null }

export function buildCase(row: QueueRow, told: Told): Omit<CaseDetail, 'actions' | 'drafts' | 'approval'> {
  const p = plotOf(row, told.settled);
  const unmatched = row.verdict === 'no_match' && told.chosen === null;
  const use = usage(p);
  const effective: Plot = unmatched || row.verdict !== 'no_match' ? p : { ...p, row: { ...row, verdict: 'provider_failed', verdictLabel: 'Provider failed', tone: 'bad' } };
  return {
    head: {
      caseId: row.caseId, ticketId: row.ticketId, subject: row.subject, desk: row.desk, state: told.settled ? 'settled' : row.state, revision: told.revision,
      assignee: told.assignee, customer: `${row.customer}@example.com`, locale: 'en-US', timezone: 'America/New_York', localTime: 'New York 11:20',
      createdAt: row.openedAt, dueAt: row.dueAt, followUpAt: row.followUpAt, asOf: asOf(3),
      balances: [{ balanceId: p.quota, kind: 'subscription_quota', label: 'Quota', current: 1022 + (told.settled && !p.recoverable ? p.fromQuota : 0) }, { balanceId: p.wallet, kind: 'wallet', label: 'Wallet', current: 300 + (told.settled && !p.recoverable ? p.price - p.fromQuota : 0) }],
    },
    verdict: {
      verdict: effective.row.verdict ?? 'no_match', tone: told.settled ? 'ok' : effective.row.tone, remedy: row.remedy ?? 'ask_for_details',
      label: unmatched ? 'Which run is not clear' : p.recoverable ? row.verdictLabel : effective.row.verdictLabel,
      remedyLabel: p.recoverable ? 'Recover output' : `Restore ${p.price} credits`,
      chain: unmatched ? ['3 runs in scope', '2 fit', 'neither nearer'] : p.recoverable ? [`charged ${p.price}`, `finished ${hm(p.finished)}`, '3 uploads failed', 'nothing stored, nothing refunded'] : [`charged ${p.price}`, `failed ${hm(p.finished)}`, 'nothing refunded'],
      reasons: reasons(p), wouldChange: ['An output stored for this run', 'A refund posted for this charge', 'The provider answering that the file is gone'],
      flags: p.deadline !== null && p.deadline - START < 24 * HOUR ? ['urgent_retention'] : [], itemActions: [{ runId: p.run, item: 1, action: p.recoverable ? 'recover' : 'restore', credits: p.recoverable ? 0 : p.price }],
      creditsToRestore: p.recoverable || unmatched ? 0 : p.price, runBillableAfter: p.recoverable ? p.price : 0, file: row.file, followUpAt: row.followUpAt, foundAt: asOf(3),
    },
    claimRows: unmatched ? claimRows(p).slice(0, 4).map((line, i) => ({ ...line, agreement: i === 0 ? 'agrees' : 'unsure', id: i === 0 ? line.id : '', found: i === 0 ? line.found : 'two runs fit', remark: '' })) : claimRows(p),
    timeline: timeline(p),
    usage: { accountId: id('acc_', 89, p.n, 6), rows: use.rows, billable: told.settled && !p.recoverable ? 0 : p.price, asOf: asOf(4) },
    canvas: canvasOf(p),
    history: history(p),
    jobs: [job(p)],
    conversation: [
      { id: `msg-${p.n}-1`, kind: 'customer', author: `${row.customer}@example.com`, at: row.openedAt, text: BODY(p) },
      { id: `msg-${p.n}-2`, kind: 'note', author: 'Ben Kowal', at: asOf(600), text: 'Storage on-call knows about the network errors of that evening.' },
    ],
    shots: shots(p),
    matchView: { explanation: unmatched ? 'Two troubled runs fit and neither is nearer to the time given.' : 'One run in scope fits project, model, time and amount.', matched: unmatched ? [] : [told.chosen?.runId ?? p.run], candidates: row.verdict === 'no_match' ? candidates(p).map((c) => ({ ...c, matched: c.runId === told.chosen?.runId })) : [], chosenBy: told.chosen ? 'Ana Prata' : null, chosenReason: told.chosen?.reason ?? null },
    offers: offers(unmatched ? p : effective),
    answer: { text: unmatched ? 'Hi, which of your runs do you mean? Please send the time with your time zone and a screenshot of the Billing row.' : answer(p), locale: 'en-US', ready: !p.recoverable || told.settled, leaks: [] },
  };
}

function history(p: Plot): CaseDetail['history'] {
  const entry = (i: number): CaseDetail['history'][number] => ({
    runId: i === 1 ? p.run : id('run_', 97 + i, p.n), item: 1, model: p.row.model ?? '', node: i === 1 ? p.nodeLabel : `Shot ${i + 1}`, project: p.projectName,
    startedAt: at(p.ran + (i - 1) * 24 * 60_000), credits: p.price, state: i === 1 && !p.settled ? 'no output' : 'stored', tone: i === 1 && !p.settled ? 'bad' : 'ok',
    place: i === 1 && !p.settled ? 'nowhere' : `${p.projectName} / ${i === 1 ? p.nodeLabel : `Shot ${i + 1}`}`, outputId: i === 1 && !p.settled ? null : id('out_', 101 + i, p.n), matched: i === 1,
  });
  return Array.from({ length: 3 + (mix(7, p.n) % 2) }, (_, i) => entry(i));
}

export const plot = { of: plotOf };

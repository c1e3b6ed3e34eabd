/** The queue of the invented world: rows are made from their number, so 100,000 cost nothing. */
import type {
  Count, FileDeadline, QueueCounts, QueueFilter, QueueRow, QueueSection, Remedy, Tone, Verdict,
} from '../generated/contract';
import { id, mix, pick } from './random';

export const NOW = '2026-03-14T15:20:08Z';
const START = Date.parse(NOW);
const MINUTE = 60_000;
export const iso = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');
export const minutesFromNow = (minutes: number): string => iso(START + minutes * MINUTE);

interface Kind { readonly verdict: Verdict; readonly label: string; readonly tone: Tone; readonly remedy: Remedy }

const RECOVERABLE: readonly [Kind, ...Kind[]] = [
  { verdict: 'upload_failed', label: 'Upload failed', tone: 'bad', remedy: 'recover_asset' },
  { verdict: 'webhook_lost', label: 'Webhook lost', tone: 'warn', remedy: 'recover_asset' },
  { verdict: 'partial_batch', label: '2 of 3 delivered', tone: 'warn', remedy: 'recover_asset' },
];
const REST: readonly [Kind, ...Kind[]] = [
  { verdict: 'provider_failed', label: 'Provider failed', tone: 'bad', remedy: 'restore_credits' },
  { verdict: 'no_match', label: 'No match', tone: 'warn', remedy: 'ask_for_details' },
  { verdict: 'provider_stalled', label: 'Stalled 26 h', tone: 'bad', remedy: 'restore_credits' },
  { verdict: 'misattributed_same_customer', label: 'Wrong project', tone: 'bad', remedy: 'reattach' },
  { verdict: 'storage_quota_exceeded', label: 'Storage full', tone: 'warn', remedy: 'hold_asset' },
  { verdict: 'delivered_not_on_canvas', label: 'Not on canvas', tone: 'warn', remedy: 'guide_to_asset' },
  { verdict: 'delivered_ok', label: 'Delivered', tone: 'ok', remedy: 'none_delivered' },
  { verdict: 'duplicate_charge', label: 'Charged twice', tone: 'bad', remedy: 'restore_credits' },
  { verdict: 'provider_unreachable', label: 'Provider silent', tone: 'warn', remedy: 'retry_provider_lookup' },
  { verdict: 'out_of_scope', label: 'Billing matter', tone: 'neutral', remedy: 'route_to_billing' },
];
const SUBJECTS: readonly [string, ...string[]] = [
  'Video fehlt, Credits weg', 'failed generation, paid partly from my top up', 'multi shot: only 2 of 3 clips',
  '26 hours and still rendering', 'credits for my last run', 'Confidential clip missing', 'where is scene 9',
  'charged twice for one image', 'no output from the node, credits gone', '???', 'output never delivered', 'empty result after upgrade',
];
const CUSTOMERS: readonly [string, ...string[]] = [
  'filmwerk', 'split.balance', 'tidal.agency', 'night.render', 'ex.member', 'careful.client', 'full.disk', 'northlight.films', 'no.words', 'unknown.keep',
];
const MODELS: readonly [string, ...string[]] = ['Kling 3.0', 'Veo 3.1', 'Luma Ray3', 'Seedance 2.0', 'Hailuo 02', 'Runway Gen-4.5', 'Nano Banana Pro', 'Wan 2.5'];
const DESKS: readonly [string, ...string[]] = ['Zendesk', 'Intercom', 'Chatwoot', 'Zammad'];
const AGENTS: readonly [string | null, ...(string | null)[]] = [null, 'Ana Prata', null, 'Ben Kowal', null, 'Lena Duarte'];

const AT_RISK_SHARE = 0.12;
const LATER_SHARE = 0.3;

/** The first rows are told by hand: they are what screenshots and tests look at. */
const TOLD: readonly Partial<QueueRow>[] = [
  { subject: 'no output from runway, 180 credits gone', customer: 'northlight.films', model: 'Runway Gen-4.5', amount: 180, assignee: 'Ana Prata', desk: 'Zendesk', file: { form: 'running', until: minutesFromNow(47), share: 3 }, dueAt: minutesFromNow(110) },
  { subject: 'Charged for a Veo clip that never showed up', customer: 'studio.fern', model: 'Veo 3.1', amount: 320, assignee: 'Ana Prata', desk: 'Zendesk', file: { form: 'running', until: '2026-03-14T18:12:14Z', share: 6 }, dueAt: '2026-03-16T15:02:00Z' },
  { subject: '???', customer: 'no.words', model: 'Seedance 2.0', amount: 130, assignee: null, desk: 'Intercom', verdict: 'webhook_lost', verdictLabel: 'Webhook lost', tone: 'warn', file: { form: 'running', until: minutesFromNow(320), share: 22 }, dueAt: '2026-03-16T11:30:00Z' },
  { subject: 'Ray3 output never delivered', customer: 'unknown.keep', model: 'Luma Ray3', amount: 92, assignee: 'Ben Kowal', desk: 'Zendesk', verdict: 'webhook_lost', verdictLabel: 'Webhook lost', tone: 'warn', file: { form: 'running', until: minutesFromNow(6 * 1440 + 210), share: 91 }, dueAt: '2026-03-16T12:47:00Z' },
];

function fileOf(section: QueueSection, place: number, i: number): FileDeadline {
  if (section === 'file_deletes_first') {
    const minutes = 47 + place * 3 + (mix(3, i) % 3);
    return { form: 'running', until: minutesFromNow(minutes), share: Math.min(98, 3 + Math.floor(minutes / 30)) };
  }
  const forms: readonly [FileDeadline, ...FileDeadline[]] = [{ form: 'saved' }, { form: 'none' }, { form: 'gone', at: minutesFromNow(-1500) }, { form: 'none' }];
  return pick(forms, 5, i);
}

export class FakeQueue {
  readonly size: number;
  readonly #atRisk: number;
  readonly #later: number;

  constructor(size: number) {
    this.size = size;
    this.#atRisk = Math.min(size, Math.max(TOLD.length, Math.floor(size * AT_RISK_SHARE)));
    this.#later = Math.max(this.#atRisk, size - Math.floor(size * LATER_SHARE));
  }

  row(i: number): QueueRow {
    const section: QueueSection = i < this.#atRisk ? 'file_deletes_first' : i < this.#later ? 'business_day_ends_first' : 'later';
    const place = section === 'file_deletes_first' ? i : section === 'later' ? i - this.#later : i - this.#atRisk;
    const kind = section === 'file_deletes_first' ? pick(RECOVERABLE, 1, i < TOLD.length ? 0 : i) : pick(REST, 2, place);
    return {
      caseId: `case-${String(i + 1).padStart(6, '0')}`, ticketId: `TCK-${1042 + i}`, section,
      subject: pick(SUBJECTS, 7, i), customer: pick(CUSTOMERS, 11, i), desk: pick(DESKS, 13, i),
      state: section === 'later' ? 'waiting' : 'open', assignee: pick(AGENTS, 17, i),
      verdict: kind.verdict, verdictLabel: kind.label, tone: kind.tone, remedy: kind.remedy,
      amount: kind.verdict === 'no_match' || kind.verdict === 'out_of_scope' ? null : 20 + (mix(19, i) % 30) * 10,
      model: pick(MODELS, 23, i), file: fileOf(section, place, i),
      dueAt: section === 'later' ? minutesFromNow(2880 + place) : minutesFromNow(45 + place * 2),
      followUpAt: section === 'later' ? minutesFromNow(600 + place) : null,
      openedAt: minutesFromNow(-600 - (mix(29, i) % 900)),
      ...(i < TOLD.length ? { ...{ verdict: 'upload_failed', verdictLabel: 'Upload failed', tone: 'bad', remedy: 'recover_asset' }, ...TOLD[i] } : {}),
    } satisfies QueueRow as QueueRow;
  }

  /** Numbers of the rows that fit, in order. `null`: all of them, so no list is needed. */
  fitting(filter: QueueFilter, me: string): readonly number[] | null {
    const words = filter.search.toLowerCase().split(/\s+/).filter(Boolean);
    const plain = words.length === 0 && !filter.mine && !filter.dueToday && !filter.fileAtRisk
      && [filter.states, filter.verdicts, filter.remedies, filter.desks].every((list) => list.length === 0);
    if (plain && filter.order === 'lost_first') return null;
    const rows: QueueRow[] = [];
    for (let i = 0; i < this.size; i += 1) {
      const row = this.row(i);
      if (fits(row, filter, me, words)) rows.push(row);
    }
    if (filter.order === 'due') rows.sort((a, b) => a.dueAt.localeCompare(b.dueAt));
    if (filter.order === 'newest') rows.sort((a, b) => b.openedAt.localeCompare(a.openedAt));
    if (filter.order === 'amount') rows.sort((a, b) => (b.amount ?? 0) - (a.amount ?? 0));
    return rows.map((row) => Number(row.caseId.slice(5)) - 1);
  }

  counts(): QueueCounts {
    const sums = { verdicts: new Map<string, Count>(), desks: new Map<string, Count>(), states: new Map<string, Count>() };
    const add = (map: Map<string, Count>, word: string, label: string): void => {
      const known = map.get(word) ?? { word, label, count: 0 };
      known.count += 1;
      map.set(word, known);
    };
    for (let i = 0; i < this.size; i += 1) {
      const row = this.row(i);
      if (row.verdict) add(sums.verdicts, row.verdict, row.verdictLabel);
      add(sums.desks, row.desk, row.desk);
      add(sums.states, row.state, row.state === 'open' ? 'Open' : 'Waiting');
    }
    const list = (map: Map<string, Count>): Count[] => [...map.values()].sort((a, b) => b.count - a.count);
    return { verdicts: list(sums.verdicts), desks: list(sums.desks), states: list(sums.states) };
  }
}

function fits(row: QueueRow, filter: QueueFilter, me: string, words: readonly string[]): boolean {
  const has = <T>(list: readonly T[], value: T | null): boolean => list.length === 0 || (value !== null && list.includes(value));
  const text = `${row.subject} ${row.customer} ${row.ticketId} ${row.caseId} ${runIdOf(row.caseId)}`.toLowerCase();
  return has(filter.states, row.state) && has(filter.verdicts, row.verdict) && has(filter.remedies, row.remedy) && has(filter.desks, row.desk)
    && (!filter.mine || row.assignee === me)
    && (!filter.dueToday || row.dueAt.slice(0, 10) === NOW.slice(0, 10))
    && (!filter.fileAtRisk || (row.file.form === 'running' && Date.parse(row.file.until) - START < 1440 * MINUTE))
    && words.every((word) => text.includes(word));
}

export const runIdOf = (caseId: string): string => id('run_', 41, Number(caseId.slice(5)));

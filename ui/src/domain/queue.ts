import type { QueueFilter, QueueRow } from '../lib/ipc/generated/contract';
import type { FileDeadline, Tone } from '../lib/ipc/generated/contract';
import { day, left, span } from './format';

export const OPEN_FILTER: QueueFilter = {
  states: ['open', 'waiting'], verdicts: [], remedies: [], desks: [], mine: false, dueToday: false, fileAtRisk: false, search: '', order: 'lost_first',
};

/** A tab above the queue. */
export interface QueueTab {
  readonly name: string;
  readonly filter: QueueFilter;
  /** Saved by this agent, so it can be deleted. */
  readonly own: boolean;
}

export const TABS: readonly QueueTab[] = [
  { name: 'Lost first', filter: OPEN_FILTER, own: false },
  { name: 'Mine', filter: { ...OPEN_FILTER, mine: true }, own: false },
  { name: 'Due today', filter: { ...OPEN_FILTER, dueToday: true, order: 'due' }, own: false },
  { name: 'File at risk', filter: { ...OPEN_FILTER, fileAtRisk: true }, own: false },
  { name: 'Settled', filter: { ...OPEN_FILTER, states: ['settled', 'linked'], order: 'newest' }, own: false },
];

export const sameFilter = (a: QueueFilter, b: QueueFilter): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What a stretch of the queue has in common, when it is ordered by what is lost first. */
export type Stretch = 'gone' | 'running' | 'rest';

export const SECTIONS: Readonly<Record<Stretch, { readonly title: string; readonly remark: string }>> = {
  gone: { title: 'File gone', remark: 'deleted at the provider before a copy was made' },
  running: { title: 'File deletes first', remark: 'no copy here yet' },
  rest: { title: 'Business day ends first', remark: 'nothing left to lose at a provider' },
};

export const ORDERS: Readonly<Record<QueueFilter['order'], string>> = {
  lost_first: 'Lost first', due: 'Due first', newest: 'Newest first', amount: 'Largest amount first',
};

/** A head in the grid: the row that it stands before, and how many it covers. */
export interface SectionHead {
  readonly stretch: Stretch;
  readonly at: number;
  readonly rows: number;
}

/** What stands in line `g` of the grid, heads counted. */
export type GridLine =
  | { readonly kind: 'head'; readonly head: SectionHead }
  | { readonly kind: 'row'; readonly row: number };

export function lineAt(heads: readonly SectionHead[], g: number): GridLine {
  let before = 0;
  for (const head of heads) {
    const place = head.at + before;
    if (g === place) return { kind: 'head', head };
    if (g < place) break;
    before += 1;
  }
  return { kind: 'row', row: g - before };
}

/** The grid line in which row `row` stands. */
export function lineOf(heads: readonly SectionHead[], row: number): number {
  return row + heads.filter((head) => head.at <= row).length;
}

type Form = FileDeadline['form'];

/**
 * Finds the stretches of a list ordered by what is lost first: files whose time ran out may lead it,
 * then come running ones, then all else. `formAt` may ask the core, so it is asked only about forty
 * times for 100,000 rows. An unreadable row makes no heads rather than wrong ones.
 */
export async function findSections(total: number, formAt: (row: number) => Promise<Form | undefined>): Promise<SectionHead[]> {
  if (total === 0) return [];
  let unreadable = false;
  const is = async (form: Form, row: number): Promise<boolean> => {
    const found = await formAt(row);
    unreadable ||= found === undefined;
    return found === form;
  };
  const gone = await endOf(0, total, (row) => is('gone', row));
  const running = await endOf(gone, total, (row) => is('running', row));
  if (unreadable) return [];
  const heads: SectionHead[] = [
    { stretch: 'gone', at: 0, rows: gone }, { stretch: 'running', at: gone, rows: running - gone }, { stretch: 'rest', at: running, rows: total - running },
  ];
  return heads.filter((head) => head.rows > 0);
}

/** First row from `start` on for which it does not hold: by strides that double, then by halves. */
async function endOf(start: number, total: number, holds: (row: number) => Promise<boolean>): Promise<number> {
  if (start >= total || !(await holds(start))) return start;
  let low = start;
  let stride = 1;
  while (low + stride < total && (await holds(low + stride))) {
    low += stride;
    stride *= 2;
  }
  let high = Math.min(total, low + stride);
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (await holds(middle)) low = middle;
    else high = middle;
  }
  return high;
}

const HOUR = 3_600_000;

/** A file deadline as drawn: text, colour, and the share of retention left, if it runs. */
export interface DeadlineCell {
  readonly form: FileDeadline['form'];
  readonly text: string;
  readonly tone: Tone;
  readonly share: number | null;
}

export function deadlineCell(file: FileDeadline, now: number): DeadlineCell {
  switch (file.form) {
    case 'running': {
      const rest = left(file.until, now);
      if (rest <= 0) return { form: 'running', text: `ended ${span(rest)} ago`, tone: 'bad', share: 0 };
      const tone = rest < HOUR ? 'bad' : rest < 6 * HOUR ? 'warn' : 'neutral';
      return { form: 'running', text: rest < HOUR ? `0 h ${span(rest)}` : span(rest), tone, share: file.share };
    }
    case 'saved': return { form: 'saved', text: 'Saved', tone: 'ok', share: null };
    case 'gone': return { form: 'gone', text: `gone ${day(file.at, now)}`, tone: 'neutral', share: null };
    case 'none': return { form: 'none', text: 'no file', tone: 'neutral', share: null };
  }
}

/** Time to the due instant: `1 h 50`, red when it is over. */
export function dueLeft(dueAt: string, now: number): { readonly text: string; readonly tone: Tone } {
  const rest = left(dueAt, now);
  const days = Math.floor(Math.abs(rest) / (24 * HOUR));
  // From two days on, hours only crowd the column.
  if (rest < 0) return { text: `${days > 1 ? `${days} d` : span(rest).replace(' min', '')} over`, tone: 'bad' };
  if (days > 1) return { text: `${days} d`, tone: 'neutral' };
  return { text: span(rest).replace(/(\d+ h \d+) min/, '$1'), tone: rest < HOUR ? 'warn' : 'neutral' };
}

/** Chips that say what is filtered, each with the filter without it. */
export interface Chip {
  readonly label: string;
  readonly value: string;
  readonly without: QueueFilter;
}

export function chips(filter: QueueFilter, verdictLabel: (word: string) => string): Chip[] {
  const open = filter.states.length === 2 && filter.states.includes('open') && filter.states.includes('waiting');
  const all: (Chip | null)[] = [
    filter.states.length > 0 ? { label: 'Status', value: open ? 'not settled' : filter.states.join(', '), without: { ...filter, states: [] } } : null,
    filter.verdicts.length > 0 ? { label: 'Verdict', value: filter.verdicts.map(verdictLabel).join(', '), without: { ...filter, verdicts: [] } } : null,
    filter.desks.length > 0 ? { label: 'Desk', value: filter.desks.join(', '), without: { ...filter, desks: [] } } : null,
    filter.remedies.length > 0 ? { label: 'Remedy', value: filter.remedies.join(', ').replaceAll('_', ' '), without: { ...filter, remedies: [] } } : null,
    filter.mine ? { label: 'Owner', value: 'me', without: { ...filter, mine: false } } : null,
    filter.dueToday ? { label: 'Due', value: 'today', without: { ...filter, dueToday: false } } : null,
    filter.fileAtRisk ? { label: 'File', value: 'deleted within 24 h', without: { ...filter, fileAtRisk: false } } : null,
    filter.search ? { label: 'Contains', value: filter.search, without: { ...filter, search: '' } } : null,
  ];
  return all.filter((chip) => chip !== null);
}

/** What a screen reader hears of a row before its cells. */
export function rowSummary(row: QueueRow, cell: DeadlineCell): string {
  return `${row.ticketId}, ${row.verdictLabel || 'not worked out yet'}, file ${cell.text}`;
}

import type { QueueFilter, QueueRow } from '../lib/ipc/generated/contract';
import { HostError, type Host } from '../lib/ipc/host';
import { failure, type Failure } from '../shared/facts/failure';
import { findSections, type SectionHead } from './queue';

/** Rows asked for at once; the core gives at most 200. */
const PAGE = 100;
/** Pages kept; the farthest from the view go first. */
const KEPT = 24;

/** The rows of one filter, fetched by window. Old rows stay until new ones are there. */
export class QueueRows {
  readonly filter: QueueFilter;
  total = $state(0);
  stake = $state(0);
  asOf = $state('');
  heads = $state.raw<readonly SectionHead[]>([]);
  failed = $state.raw<Failure>();
  /** Whether any answer came yet. */
  known = $state(false);
  #pages = $state.raw<ReadonlyMap<number, readonly QueueRow[]>>(new Map());
  #asked = new Set<number>();
  #host: Host;
  #view = { first: 0, end: PAGE };
  #round = 0;

  constructor(host: Host, filter: QueueFilter) {
    this.#host = host;
    this.filter = filter;
  }

  row(i: number): QueueRow | undefined {
    return this.#pages.get(Math.floor(i / PAGE))?.[i % PAGE];
  }

  /** Position of a case among the rows at hand; -1 if it is not there. */
  find(caseId: string): number {
    for (const [page, rows] of this.#pages) {
      const place = rows.findIndex((row) => row.caseId === caseId);
      if (place >= 0) return page * PAGE + place;
    }
    return -1;
  }

  /** Sees to it that rows `[first, end)` are read. */
  need(first: number, end: number): void {
    this.#view = { first, end };
    for (let page = Math.floor(first / PAGE); page * PAGE < Math.max(end, 1); page += 1) {
      if (!this.#pages.has(page) && !this.#asked.has(page)) void this.#read(page);
    }
  }

  /** Reads what is in view again and forgets the rest. */
  async refresh(): Promise<void> {
    this.#round += 1;
    this.#asked.clear();
    const { first, end } = this.#view;
    const inView = new Set<number>();
    for (let page = Math.floor(first / PAGE); page * PAGE < Math.max(end, 1); page += 1) inView.add(page);
    this.#pages = new Map([...this.#pages].filter(([page]) => inView.has(page)));
    const round = this.#round;
    await Promise.all([...inView].map((page) => this.#read(page, false)));
    if (round === this.#round && this.known) await this.#findHeads(round);
  }

  async #read(page: number, withHeads = true): Promise<void> {
    const round = this.#round;
    this.#asked.add(page);
    try {
      const answer = await this.#host.query('queue', { filter: this.filter, offset: page * PAGE, limit: PAGE });
      if (round !== this.#round) return;
      const firstAnswer = !this.known;
      this.total = answer.total;
      this.stake = answer.stake;
      this.asOf = answer.asOf;
      this.known = true;
      this.failed = undefined;
      this.#keep(page, answer.rows);
      if (firstAnswer && withHeads) await this.#findHeads(round);
    } catch (thrown) {
      if (round === this.#round) this.failed = failure(HostError.from(thrown));
    } finally {
      if (round === this.#round) this.#asked.delete(page);
    }
  }

  #keep(page: number, rows: readonly QueueRow[]): void {
    const pages = new Map(this.#pages).set(page, rows);
    const middle = this.#view.first / PAGE;
    for (const far of [...pages.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle))) {
      if (pages.size <= KEPT) break;
      pages.delete(far);
    }
    this.#pages = pages;
  }

  async #findHeads(round: number): Promise<void> {
    if (this.filter.order !== 'lost_first') {
      this.heads = [];
      return;
    }
    try {
      const heads = await findSections(this.total, async (i) => {
        const here = this.row(i);
        if (here) return here.file.form;
        const answer = await this.#host.query('queue', { filter: this.filter, offset: i, limit: 1 });
        return answer.rows[0]?.file.form;
      });
      if (round === this.#round) this.heads = heads;
    } catch {
      // The reading of the rows says what is wrong; without heads the order is still right.
    }
  }
}

/** A core in memory, always the same, for developing, tests and pictures without a backend. */
import type {
  ActCommands, ActionView, AppInfo, AuditRow, ConfirmRequest, DraftView, KeyVerdict, OutboxRow, PassView, QueryCommands, QueueRequest, QueueRow, QueueWindow,
  ReadBack, ReviewRequest, ReviewSheet, SavedView, SaveDraftRequest, SaveDraftResult, Topic, TransferView,
} from '../generated/contract';
import { HostError, type Act, type Host, type Query } from '../host';
import { FakeApprovals } from './approvals';
import { FakeConnections, type FakeProviders } from './connections';
import { buildCase, plot, restoredLines } from './cases';
import { FakeQueue, iso, NOW } from './queue';
import { canvasShot, billingShot } from './pictures';
import { pass, reconcilerView, type FakePromise } from './reconciler';
import { canvasOf, comingFiles, lateResult, lostJobOf, OUTPUT, previewOf, savedOf, tone, withoutJob, type FakeFile } from './recovery';

export type FakeOutcome = 'done' | 'refused' | 'failed_before_effect' | 'unknown';

export interface FakeOptions {
  /** Cases in the queue. */
  readonly rows: number;
  /** Milliseconds until an answer. */
  readonly latency: number;
  /** Commands that fail as if the database were gone; `*` for all. */
  readonly failing: readonly string[];
  /** What confirming comes to. `unknown` becomes done when checked. */
  readonly outcome: FakeOutcome;
  /** The next saving of a draft meets somebody else's text. */
  readonly conflict: boolean;
  /** How well the reconciler keeps the promise. */
  readonly promise: FakePromise;
  /** The record knows the login, as PostgreSQL does. */
  readonly enforced: boolean;
  /** Credits that the agent may restore alone. */
  readonly limit: number;
  /** Somebody else settles the case between the sheet and its confirmation. */
  readonly overtaken: boolean;
  /** What is set up: everything, nothing, everything without a keyring, or what a practice workspace has. */
  readonly providers: FakeProviders;
  /** What the next test of a key comes to. */
  readonly verdict: KeyVerdict;
  /** The next change of a key meets somebody else's. */
  readonly keyConflict: boolean;
  /** Files on their way. */
  readonly transfers: readonly TransferView[];
  /** How the copy in the vault fares. */
  readonly file: FakeFile;
  /** The jobs of all runs are lost until they are found again. */
  readonly lostJobs: boolean;
  /** Every file came after its refund: it can be released against a new debit. */
  readonly late: boolean;
}

export const FAKE_DEFAULTS: FakeOptions = { rows: 42, latency: 0, failing: [], outcome: 'done', conflict: false, promise: 'kept', enforced: false, limit: 500, overtaken: false, providers: 'all', verdict: 'accepted', keyConflict: false, transfers: [], file: 'whole', lostJobs: false, late: false };

const ME = 'Ana Prata';
const HASH = '137223a9c9d601b05b0f7d3a90e1c2448368cd891874324381e0aa57f4c3d2b1';

interface CaseMemory {
  settled: boolean;
  revision: number;
  chosen: { runId: string; reason: string } | null;
  assignee: string | null;
  actions: ActionView[];
  drafts: Map<string, DraftView>;
  jobFound: boolean;
}

export class FakeHost implements Host {
  options: FakeOptions;
  #queue: FakeQueue;
  #cases = new Map<string, CaseMemory>();
  #actions = new Map<string, { view: ActionView; caseId: string; request: ConfirmRequest }>();
  #views: SavedView[] = [];
  #audit: AuditRow[] = [];
  #outbox: OutboxRow[] = [];
  #listeners = new Set<(topic: Topic) => void>();
  #fitting = new Map<string, readonly number[] | null>();
  #seconds = 0;
  #approvals: FakeApprovals;
  #connections: FakeConnections;
  #passes: PassView[] = [];
  #running: PassView | null = null;

  constructor(options: Partial<FakeOptions> = {}) {
    this.options = { ...FAKE_DEFAULTS, ...options };
    this.#queue = new FakeQueue(this.options.rows);
    this.#approvals = new FakeApprovals(Date.parse(NOW), (caseId) => this.#row(caseId), () => this.options.enforced);
    this.#connections = new FakeConnections(this.options.providers);
  }

  async query<C extends Query>(cmd: C, payload: QueryCommands[C][0]): Promise<QueryCommands[C][1]> {
    await this.#door(cmd);
    return this.#queries[cmd](payload);
  }

  async act<C extends Act>(cmd: C, payload: ActCommands[C][0]): Promise<ActCommands[C][1]> {
    if (cmd === 'reconcile_now' && !this.options.failing.includes(cmd) && !this.options.failing.includes('*')) this.#beginPass();
    await this.#door(cmd);
    return this.#acts[cmd](payload);
  }

  onChanged(listener: (topic: Topic) => void): Promise<() => void> {
    this.#listeners.add(listener);
    return Promise.resolve(() => this.#listeners.delete(listener));
  }

  attachmentUrl(attachmentId: string): string {
    const row = this.#queue.row(Number(attachmentId.split('-').at(-1)));
    const p = plot.of(row, false);
    const svg = attachmentId.includes('billing') ? billingShot(p.row.model ?? '', p.price) : canvasShot(p.project, p.nodeLabel);
    return `data:image/svg+xml,${encodeURIComponent(svg)}`;
  }

  async media(caseId: string, outputId: string): Promise<ArrayBuffer> {
    await this.#door('media');
    if ((outputId !== OUTPUT && outputId !== savedOf(plot.of(this.#row(caseId), true))) || this.options.file !== 'whole') throw new HostError('refused', `Output ${outputId} of ${caseId} is not shown.`, false);
    return tone();
  }

  /** For tests: the next answers are different. */
  become(options: Partial<FakeOptions>): void {
    this.options = { ...this.options, ...options };
  }

  async #door(cmd: string): Promise<void> {
    await new Promise((resolve) => { setTimeout(resolve, this.options.latency); });
    if (this.options.failing.includes(cmd) || this.options.failing.includes('*')) {
      throw new HostError('unavailable', 'The database at ~/.local/share/makegood/practice.sqlite cannot be opened: it is locked by another program.', true, 'log-7f3k');
    }
  }

  readonly #queries: { [C in Query]: (payload: QueryCommands[C][0]) => QueryCommands[C][1] } = {
    app_info: () => this.#info(),
    queue: (request) => this.#window(request),
    queue_counts: () => this.#queue.counts(),
    saved_views: () => ({ views: [...this.#views] }),
    case_detail: ({ caseId }) => {
      const memory = this.#memory(caseId);
      const detail = { ...buildCase(this.#row(caseId), memory), actions: [...memory.actions], drafts: [...memory.drafts.values()], approval: this.#approvals.of(caseId) };
      if (this.options.late) return lateResult(detail, memory.settled);
      return this.options.lostJobs && !memory.jobFound ? withoutJob(detail) : detail;
    },
    raw_answer: ({ jobId, answerId }) => ({
      url: `https://api.meridian.example/v1/operations/${jobId}`, status: 200, fetchedAt: this.#now(),
      body: JSON.stringify({ name: jobId, done: true, answer: answerId, response: { items: [{ index: 1, bytes: 41333219, sha256: HASH.slice(0, 16), expires: null }] } }, null, 2),
    }),
    review: (request) => this.#review(request),
    action: ({ key }) => this.#known(key).view,
    note_template: ({ caseId }) => {
      const p = plot.of(this.#row(caseId), false);
      return { text: `${p.row.verdictLabel}: ${p.row.ticketId}\n\nRun ${p.run} (${p.row.model ?? ''}), charge ${p.charge} −${p.price}, provider job ${p.job}.\nFinished ${iso(p.finished)}, three uploads failed (network, timeout, network).\n\nTried: look-up at ${this.#now()}, file exists.\nAsked: storage on-call to explain the network errors, by Monday 12:00 UTC.\n\nFacts as of ${this.#now()}.` };
    },
    audit: ({ subject, limit }) => ({ lines: this.#audit.filter((line) => !subject || line.subject.includes(subject)).slice(0, limit), broken: null }),
    outbox: () => ({ rows: [...this.#outbox] }),
    reconciler: () => reconcilerView(this.options.promise, this.#passes, this.#running, this.#now()),
    approvals: () => this.#approvals.view(this.#now()),
    connections: () => this.#connections.view(this.#now()),
    transfers: () => ({ transfers: [...this.options.transfers] }),
    preview: ({ caseId, outputId }) => previewOf(plot.of(this.#row(caseId), true), outputId, this.options.file, HASH, this.#now()),
    lost_job: ({ runId }) => lostJobOf(runId, this.#now()),
  };

  readonly #acts: { [C in Act]: (payload: ActCommands[C][0]) => ActCommands[C][1] } = {
    confirm: (request) => this.#confirm(request),
    check: ({ key }) => {
      const known = this.#known(key);
      if (known.view.state === 'unknown') this.#finish(known, 'done');
      return known.view;
    },
    look_up: ({ caseId }) => {
      this.#log('look up', caseId, 'asked 1 provider');
      return { asked: 1, changed: false, problems: [] };
    },
    cancel_transfer: ({ runId, item }) => this.#cancelTransfer(runId, item),
    choose_runs: ({ caseId, caseRevision, runIds, reason }) => {
      const memory = this.#memory(caseId);
      if (memory.revision !== caseRevision) throw new HostError('stale', 'The case changed since you read it.', true);
      memory.chosen = { runId: runIds[0] ?? '', reason };
      memory.revision += 1;
      this.#log('choose run', caseId, `${runIds.join(', ')}: ${reason}`);
      this.#tell({ topic: 'case', caseId });
      return {};
    },
    claim_case: ({ caseId, claim }) => {
      this.#memory(caseId).assignee = claim ? ME : null;
      this.#log(claim ? 'claim' : 'release', caseId, '');
      this.#tell({ topic: 'case', caseId }, { topic: 'queue' });
      return {};
    },
    save_draft: (request) => this.#saveDraft(request),
    save_view: (view) => {
      this.#views = [...this.#views.filter((other) => other.name !== view.name), view];
      this.#tell({ topic: 'queue' });
      return {};
    },
    reconcile_now: () => this.#endPass(),
    ask_approval: (request) => {
      const asked = this.#approvals.ask(request, this.#now());
      this.#log('ask approval', request.caseId, request.reason);
      this.#tell({ topic: 'approvals' }, { topic: 'case', caseId: request.caseId });
      return asked;
    },
    decide_approval: (request) => {
      const decided = this.#approvals.decide(request, this.#now());
      this.#log(request.say, decided.caseId, request.note ?? '');
      this.#tell({ topic: 'approvals' }, { topic: 'case', caseId: decided.caseId });
      return decided;
    },
    withdraw_approval: ({ id, digest }) => {
      const withdrawn = this.#approvals.withdraw(id, digest, this.#now());
      this.#log('withdraw', withdrawn.caseId, '');
      this.#tell({ topic: 'approvals' }, { topic: 'case', caseId: withdrawn.caseId });
      return withdrawn;
    },
    put_key: ({ id, key, revision }) => this.#connected(() => this.#connections.put(id, key, revision, this.#keyConflict())),
    remove_key: ({ id, revision }) => this.#connected(() => this.#connections.remove(id, revision, this.#keyConflict())),
    check_key: ({ id }) => this.#connected(() => this.#connections.check(id, this.options.verdict, this.#now())),
    reset_connection: ({ id }) => this.#connected(() => this.#connections.reset(id)),
    keep_lost_job: ({ caseId, runId, jobId }) => {
      if (!lostJobOf(runId, NOW).candidates.some((one) => one.jobId === jobId && one.proven)) throw new HostError('refused', `Job ${jobId} was not taken for run ${runId}: nothing proves that it is this run’s.`, false);
      this.#memory(caseId).jobFound = true;
      this.#log('keep job', caseId, jobId);
      this.#tell({ topic: 'case', caseId });
      return {};
    },
    open_outside: ({ outputId }) => ({ path: `~/.local/share/makegood/shown/${outputId}.wav` }),
    remove_connection: ({ id, revision }) => this.#connected(() => {
      this.#connections.disconnect(id, revision, this.#keyConflict());
      return this.#connections.view(this.#now());
    }),
    add_connection: (request) => this.#connected(() => this.#connections.add(request)),
    delete_view: ({ name }) => {
      this.#views = this.#views.filter((other) => other.name !== name);
      this.#tell({ topic: 'queue' });
      return {};
    },
  };

  #now(): string {
    this.#seconds += 1;
    return iso(Date.parse(NOW) + this.#seconds * 1000);
  }

  #tell(...topics: Topic[]): void {
    queueMicrotask(() => { for (const topic of topics) for (const listener of this.#listeners) listener(topic); });
  }

  #connected<T>(act: () => T): T {
    this.#tell({ topic: 'connections' });
    return act();
  }

  #keyConflict(): boolean {
    const conflict = this.options.keyConflict;
    this.options = { ...this.options, keyConflict: false };
    return conflict;
  }

  #cancelTransfer(runId: string, item: number): { cancelled: boolean; why: string | null } {
    const meant = (one: TransferView): boolean => one.runId === runId && one.item === item;
    const cancelled = this.options.transfers.some((one) => meant(one) && one.canCancel);
    if (!cancelled) return { cancelled, why: `the file of item ${item} of ${runId} is kept already: it can't be cancelled any more` };
    this.options = { ...this.options, transfers: this.options.transfers.filter((one) => !meant(one)) };
    this.#tell({ topic: 'transfers' });
    return { cancelled, why: null };
  }

  #beginPass(): void {
    this.#running ??= { ...pass(40 + this.#passes.length, Date.parse(this.#now()), this.options.promise), id: `pass-${1205 + this.#passes.length}`, worker: 'makegood@studio-7, 2214', finishedAt: null };
    this.#tell({ topic: 'reconciler' });
  }

  #endPass(): PassView {
    const begun = this.#running;
    if (!begun) throw new HostError('refused', 'Another pass is under way at worker-2 since 15:19:40.', true);
    const ended = { ...begun, finishedAt: this.#now() };
    this.#running = null;
    this.#passes = [ended, ...this.#passes];
    this.#tell({ topic: 'reconciler' }, { topic: 'queue' });
    return ended;
  }

  #log(act: string, subject: string, detail: string): void {
    const seq = this.#audit.length + 1;
    this.#audit = [{ seq, at: this.#now(), actor: ME, act, subject, detail, hash: HASH.slice(seq % 20, (seq % 20) + 16) }, ...this.#audit];
    this.#tell({ topic: 'audit' });
  }

  #row(caseId: string): QueueRow {
    const n = Number(caseId.slice(5)) - 1;
    if (!(n >= 0 && n < this.#queue.size)) throw new HostError('not_found', `There is no case ${caseId}.`, false);
    return this.#queue.row(n);
  }

  #memory(caseId: string): CaseMemory {
    const row = this.#row(caseId);
    const known = this.#cases.get(caseId) ?? { settled: false, revision: 3, chosen: null, assignee: row.assignee, actions: [], drafts: new Map<string, DraftView>(), jobFound: false };
    this.#cases.set(caseId, known);
    return known;
  }

  #known(key: string): { view: ActionView; caseId: string; request: ConfirmRequest } {
    const known = this.#actions.get(key);
    if (!known) throw new HostError('not_found', `There is no action ${key}.`, false);
    return known;
  }

  #shown(row: QueueRow): QueueRow {
    const memory = this.#cases.get(row.caseId);
    if (!memory) return row;
    return memory.settled ? { ...row, state: 'settled', tone: 'ok', file: row.file.form === 'running' ? { form: 'saved' } : row.file, assignee: memory.assignee } : { ...row, assignee: memory.assignee };
  }

  #window({ filter, offset, limit }: QueueRequest): QueueWindow {
    if (limit > 200) throw new HostError('bad_request', 'At most 200 rows at a time.', false);
    const key = JSON.stringify(filter);
    let fitting = this.#fitting.get(key);
    if (fitting === undefined) {
      fitting = this.#queue.fitting(filter, ME);
      this.#fitting.set(key, fitting);
    }
    const total = fitting?.length ?? this.#queue.size;
    const rows: QueueRow[] = [];
    for (let i = offset; i < Math.min(total, offset + limit); i += 1) rows.push(this.#shown(this.#queue.row(fitting?.[i] ?? i)));
    return { total, stake: total * 98, offset, rows, asOf: iso(Date.parse(NOW)) };
  }

  #review({ caseId, kind, answer, consent }: ReviewRequest): ReviewSheet {
    const memory = this.#memory(caseId);
    const row = this.#row(caseId);
    const p = plot.of(row, memory.settled);
    const detail = buildCase(row, memory);
    const back = restoredLines(row).map((line) => ({ ...line, items: [1] }));
    const again = back.map((line) => ({ ...line, amount: -line.amount, before: line.after, after: line.before }));
    const postings = kind === 'restore' ? back : kind === 'release' ? again : [];
    const drafted = consent ? `Hello,\n\nAs you agreed on ${consent.at.slice(0, 16).replace('T', ' ')} UTC, the returned credits were charged again: ${p.price}. Your clip is now in ${p.projectName}, on ${p.nodeLabel}.` : detail.answer.text;
    const labels: Partial<Record<typeof kind, [string, string]>> = {
      recover: ['Recover 1 clip', 'Recover output'], restore: [`Restore ${p.price} credits`, `Restore ${p.price} credits`],
      ask: ['Ask for details', 'Send question'], hold: ['Hold 1 file', 'Hold file'], answer: ['Answer', 'Send answer'], route: ['Route to billing', 'Route to billing'], release: [`Release 1 output for ${p.price} credits`, `Release 1 output for ${p.price} credits`],
    };
    const [title, confirmLabel] = labels[kind] ?? [kind, kind];
    const total = Math.abs(postings.reduce((sum, line) => sum + line.amount, 0));
    const me = this.#approvals.me();
    const over = total > this.options.limit;
    return {
      caseId, caseRevision: memory.revision, kind, title, confirmLabel,
      files: kind === 'recover' || kind === 'hold' || kind === 'release' ? [{ runId: p.run, item: 1, jobId: p.job, bytes: 41_333_219, sha256Prefix: HASH.slice(0, 16), projectId: p.project, place: kind === 'hold' ? 'held until 28 Mar 15:20' : `${p.projectName} / ${p.nodeLabel} ${p.node}`, deadline: p.deadline === null ? null : iso(p.deadline) }] : [],
      canvas: canvasOf(p, kind, this.options.late), postings, restoredTotal: kind === 'release' ? 0 : total, chargedTotal: p.price,
      effects: [...(consent ? [`Take refund rfd_4c1d77 back, as ${consent.by} agreed on ${consent.at.slice(0, 16).replace('T', ' ')} UTC`] : []), `Case ${row.ticketId} becomes settled`],
      message: { to: detail.head.customer, locale: 'en-US', text: answer ?? drafted, ready: true, leaks: [] },
      cannotBeUndone: ['The reply, once it has left.', ...(postings.length > 0 ? ['The postings: a mistake is corrected by a new, reviewed posting.'] : [])],
      checks: [{ ok: true, text: 'No other case touches this charge' }, ...(over ? [] : [{ ok: true, text: `${p.price} is under your limit of ${this.options.limit}` }]), { ok: true, text: 'No recovery holds this item' }, { ok: true, text: 'Storage has 38.0 GB free of 50 GB' }],
      needsReason: kind === 'hold' || kind === 'route',
      approvalNeed: over ? { amount: total, perPosting: this.options.limit, perDay: me.perDay, restoredToday: me.restoredToday, why: `${total} credits are over your limit of ${this.options.limit} in one posting` } : null,
      approval: over ? this.#approvals.of(caseId) : null, digest: HASH.slice(0, 32), madeAt: this.#now(),
    };
  }

  #confirm(request: ConfirmRequest): ActionView {
    const before = this.#actions.get(request.key);
    if (before) return { ...before.view, repeated: true };
    if (this.#memory(request.caseId).revision !== request.caseRevision) throw new HostError('stale', 'The case changed since the sheet was made. Nothing was done.', true);
    if (this.options.overtaken) return this.#overtake(request);
    const sheet = this.#review(request);
    const yes = this.#approvals.of(request.caseId);
    if (sheet.approvalNeed && !(yes?.state === 'approved' && yes.reason === request.reason)) throw new HostError('refused', `${sheet.approvalNeed.why}: a second person must approve it. Nothing was done.`, false);
    if (sheet.approvalNeed) this.#approvals.use(request.caseId, request.key);
    const view: ActionView = { key: request.key, kind: request.kind, title: sheet.title, state: 'running', why: null, retry: false, agent: ME, at: this.#now(), finishedAt: null, readBack: [], repeated: false, approvalNeed: null };
    const entry = { view, caseId: request.caseId, request };
    this.#actions.set(request.key, entry);
    this.#memory(request.caseId).actions.unshift(view);
    this.#finish(entry, this.options.outcome);
    return entry.view;
  }

  /** Ben Kowal was faster: the case is settled by him, and this confirmation comes too late. */
  #overtake(request: ConfirmRequest): never {
    const memory = this.#memory(request.caseId);
    this.options = { ...this.options, overtaken: false };
    memory.actions.unshift({ key: 'ben-0000-0000-0001', kind: request.kind, title: this.#review(request).title, state: 'done', why: null, retry: false, agent: 'Ben Kowal', at: this.#now(), finishedAt: this.#now(), readBack: [], repeated: false, approvalNeed: null });
    memory.settled = true;
    memory.revision += 1;
    this.#tell({ topic: 'case', caseId: request.caseId }, { topic: 'queue' });
    throw new HostError('stale', 'The case changed since the sheet was made. Nothing was done.', true);
  }

  #finish(entry: { view: ActionView; caseId: string; request: ConfirmRequest }, outcome: FakeOutcome): void {
    const memory = this.#memory(entry.caseId);
    const whys: Record<FakeOutcome, string | null> = {
      done: null, refused: 'Item 1 of this run was delivered a moment ago by Ben Kowal. Nothing was posted.',
      failed_before_effect: 'meridian did not answer within 30 s while the file was fetched. Nothing was changed.',
      unknown: 'The connection broke after the file was sent to storage. Whether it arrived is not known.',
    };
    const p = plot.of(this.#row(entry.caseId), false);
    const readBack: ReadBack[] = outcome !== 'done' ? [] : entry.request.kind === 'restore'
      ? restoredLines(this.#row(entry.caseId)).map((line) => ({ what: 'balance', balanceId: line.balanceId, label: line.label, before: line.before, after: line.after, matches: true }))
      : entry.request.kind === 'recover' ? [{ what: 'file', outputId: OUTPUT, sha256: HASH, bytes: 41_333_219, matches: true, place: `${p.projectName} / ${p.nodeLabel}` }]
        : [{ what: 'other', text: 'The answer is in the ticket', matches: true }];
    const view: ActionView = { ...entry.view, state: outcome, why: whys[outcome], retry: outcome === 'failed_before_effect', finishedAt: outcome === 'unknown' ? null : this.#now(), readBack };
    entry.view = view;
    memory.actions = memory.actions.map((other) => (other.key === view.key ? view : other));
    if (outcome === 'done') {
      memory.settled = true;
      memory.revision += 1;
      this.#outbox = [{ id: `out-${this.#outbox.length + 1}`, at: this.#now(), kind: 'reply', caseId: entry.caseId, summary: `Reply to ${this.#row(entry.caseId).customer}`, state: 'waiting' }, ...this.#outbox];
    }
    this.#log(entry.request.kind, entry.caseId, `${outcome}, key ${view.key}`);
    this.#tell({ topic: 'case', caseId: entry.caseId }, { topic: 'queue' }, { topic: 'outbox' });
  }

  #saveDraft({ caseId, kind, text, baseRevision }: SaveDraftRequest): SaveDraftResult {
    const drafts = this.#memory(caseId).drafts;
    const stored = drafts.get(kind);
    if (this.options.conflict) {
      this.options = { ...this.options, conflict: false };
      const theirs: DraftView = { kind, text: 'Ben: storage on-call confirmed the outage of that evening, ticket OPS-311.', author: 'Ben Kowal', revision: (stored?.revision ?? 0) + 1, savedAt: this.#now() };
      drafts.set(kind, theirs);
      return { state: 'conflict', theirs };
    }
    if ((stored?.revision ?? 0) !== baseRevision && stored) return { state: 'conflict', theirs: stored };
    const saved: DraftView = { kind, text, author: ME, revision: baseRevision + 1, savedAt: this.#now() };
    drafts.set(kind, saved);
    return { state: 'saved', revision: saved.revision, savedAt: saved.savedAt };
  }

  #info(): AppInfo {
    return {
      version: '0.1.0', workspace: 'Practice', banner: 'Practice workspace: invented customers, real files', agent: { id: 'agent-ana', name: ME, limit: this.options.limit }, identity: this.#approvals.me(),
      policy: { version: '2026-03', numbers: [
        { name: 'Settlement window', value: '24', unit: 'h', rule: 'P3' }, { name: 'Retention assumed', value: '7', unit: 'days', rule: 'P7' },
        { name: 'Held files kept', value: '14', unit: 'days', rule: 'P13' }, { name: 'Clock tolerance', value: '2', unit: 'h', rule: 'P1' },
      ] },
      store: { backend: 'SQLite', version: '3.46', schema: 1, location: '~/.local/share/makegood/practice.sqlite' }, now: this.#now(), startedAt: NOW,
    };
  }
}

/** Options from the address: `?rows=100000&latency=400&failing=queue&outcome=unknown&conflict&promise=missed&enforced&limit=100&overtaken&providers=none&verdict=auth_error&keyConflict&lostJobs&late&transfers&file=damaged`. */
export function optionsFrom(search: string): Partial<FakeOptions> {
  const asked = new URLSearchParams(search);
  const outcome = asked.get('outcome');
  const promise = (['kept', 'closing', 'missed', 'idle'] as const).find((word) => word === asked.get('promise'));
  const providers = (['all', 'none', 'unkept', 'practice'] as const).find((word) => word === asked.get('providers'));
  const verdict = (['accepted', 'auth_error', 'rate_limited', 'unreachable', 'faulty', 'unclear', 'not_asked'] as const).find((word) => word === asked.get('verdict'));
  const file = (['whole', 'absent', 'damaged', 'long'] as const).find((word) => word === asked.get('file'));
  const known = (['done', 'refused', 'failed_before_effect', 'unknown'] as const).find((word) => word === outcome);
  return {
    ...(asked.has('rows') ? { rows: Number(asked.get('rows')) || 0 } : {}),
    ...(asked.has('latency') ? { latency: Number(asked.get('latency')) || 0 } : {}),
    ...(asked.has('failing') ? { failing: (asked.get('failing') ?? '').split(',') } : {}),
    ...(known ? { outcome: known } : {}),
    ...(asked.has('conflict') ? { conflict: true } : {}),
    ...(promise ? { promise } : {}),
    ...(asked.has('enforced') ? { enforced: true } : {}),
    ...(asked.has('limit') ? { limit: Number(asked.get('limit')) || 0 } : {}),
    ...(asked.has('overtaken') ? { overtaken: true } : {}),
    ...(providers ? { providers } : {}),
    ...(verdict ? { verdict } : {}),
    ...(asked.has('keyConflict') ? { keyConflict: true } : {}),
    ...(asked.has('lostJobs') ? { lostJobs: true } : {}),
    ...(asked.has('late') ? { late: true } : {}),
    ...(asked.has('transfers') ? { transfers: comingFiles() } : {}),
    ...(file ? { file } : {}),
  };
}

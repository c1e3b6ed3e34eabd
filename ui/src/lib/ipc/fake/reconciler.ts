/** The reconciler of the invented world: a day of hourly passes, and what is open. */
import type { DetectionKind, DetectionView, PassView, ReconcilerView } from '../generated/contract';
import { iso, NOW, runIdOf } from './queue';
import { id, mix } from './random';

/** `kept`: all in time. `closing`: the oldest has minutes left. `missed`: two are past it. `idle`: nothing runs and nothing ever did. */
export type FakePromise = 'kept' | 'closing' | 'missed' | 'idle';

const START = Date.parse(NOW);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LAST_PASS = Date.parse('2026-03-14T15:00:00Z');
const PROVIDERS = ['meridian', 'kestrel', 'tidepool', 'arcway', 'lumen'] as const;

const AGES: Readonly<Record<FakePromise, number | null>> = { kept: 5 * HOUR + 12 * MINUTE, closing: 23 * HOUR + 21 * MINUTE, missed: 45 * HOUR + 16 * MINUTE, idle: null };

export function pass(n: number, startedAt: number, promise: FakePromise): PassView {
  const asked = PROVIDERS.map((provider, i) => ({ provider, asked: 4 + (mix(31 + i, n) % 20), unanswered: i === 2 && n % 5 === 1 ? 3 : 0, transferred: mix(37 + i, n) % 3, restored: mix(41 + i, n) % 2 }));
  const sum = (of: (line: (typeof asked)[number]) => number): number => asked.reduce((total, line) => total + of(line), 0);
  const restored = sum((line) => line.restored);
  const stopped = n === 6;
  const age = AGES[promise] ?? 0;
  return {
    id: `pass-${1204 - n}`, worker: n % 4 === 3 ? 'makegoodctl@worker-2, 812' : 'makegood@studio-7, 2214', startedAt: iso(startedAt),
    finishedAt: stopped ? null : iso(startedAt + (22 + (mix(43, n) % 30)) * 1000), lookedAt: sum((line) => line.asked), transferred: sum((line) => line.transferred),
    restored, credits: restored * 110, waiting: 9 + (mix(47, n) % 9), unknown: asked[2]?.unanswered ?? 0, parked: 3, detected: restored + (n % 3), incidents: n === 9 ? 1 : 0,
    oldestOpen: promise === 'idle' ? null : iso(startedAt - Math.max(HOUR, age - 20 * MINUTE - (mix(53, n) % 7) * 25 * MINUTE)),
    byProvider: asked, problems: n % 5 === 1 ? ['tidepool did not answer for 3 runs within 30 s; they are asked again in the next pass.'] : [],
  };
}

const TOLD: readonly { kind: DetectionKind; label: string; cause: string; causeLabel: string; detail: string; minutes: number; n: number }[] = [
  { kind: 'orphan', label: 'No output', cause: 'upload_failed', causeLabel: 'Upload failed', detail: 'Three uploads failed; the provider keeps the file until 18:12.', minutes: 312, n: 2 },
  { kind: 'orphan', label: 'No output', cause: 'webhook_lost', causeLabel: 'Webhook lost', detail: 'The job succeeded and no webhook came.', minutes: 204, n: 3 },
  { kind: 'misplaced', label: 'In a wrong project', cause: 'foreign_asset_in_project', causeLabel: 'Another account’s project', detail: 'Quarantined; an incident is open.', minutes: 171, n: 5 },
  { kind: 'damaged', label: 'Damaged file', cause: 'corrupt_output', causeLabel: 'Hash differs', detail: 'The stored file has 0 bytes.', minutes: 96, n: 7 },
  { kind: 'duplicate_charge', label: 'Charged twice', cause: 'duplicate_charge', causeLabel: 'Second charge of one run', detail: 'Two charges of 70 within 4 s.', minutes: 58, n: 8 },
  { kind: 'contradiction', label: 'Contradiction', cause: 'delivered_and_refunded', causeLabel: 'Delivered and refunded', detail: 'Item 1 has an output and a refund.', minutes: 1520, n: 900 },
];

export function detections(): DetectionView[] {
  return TOLD.map((row) => {
    const caseId = `case-${String(row.n).padStart(6, '0')}`;
    const chargeId = id('chg_', 43, row.n - 1);
    const outputId = row.kind === 'misplaced' || row.kind === 'damaged' ? id('out_', 71, row.n) : null;
    return {
      kind: row.kind, label: row.label, subject: outputId ?? chargeId, item: row.kind === 'orphan' ? 1 : 0, runId: runIdOf(caseId), chargeId, outputId,
      cause: row.cause, causeLabel: row.causeLabel, detail: row.detail, detectedAt: iso(START - row.minutes * MINUTE), closedAt: null,
    };
  });
}

/** The reconciler's screen, with the passes that were asked for here before the others. */
export function reconcilerView(promise: FakePromise, own: readonly PassView[], running: PassView | null, now: string): ReconcilerView {
  const idle = promise === 'idle';
  const passes = [...own, ...(idle ? [] : Array.from({ length: 22 }, (_, n) => pass(n, LAST_PASS - n * HOUR, promise)))];
  const age = AGES[promise];
  const late = promise === 'missed';
  const last = passes.find((entry) => entry.finishedAt !== null);
  return {
    now,
    schedule: {
      everyMinutes: idle ? null : 60, offBecause: idle ? 'this record has a reconciler of its own: makegoodctl reconcile --every 5m' : null, cadenceMinutes: 60,
      lastStartedAt: last?.startedAt ?? null, lastFinishedAt: last?.finishedAt ?? null, overdue: idle && last === undefined, overdueSince: null,
    },
    promise: {
      windowHours: 24, openCharges: age === null ? 0 : 23, openCredits: age === null ? 0 : 3410, parked: age === null ? 0 : 3, oldestOpen: age === null ? null : iso(START - age), oldestDueAt: age === null ? null : iso(START - age + 24 * HOUR),
      broken: late, refundSecondsP50: idle ? null : 2280, refundSecondsP90: idle ? null : late ? 19_800 : 11_520, refundSecondsWorst: idle ? null : late ? 162_960 : 78_000, worstBroken: late,
    },
    running, passes, detections: idle ? [] : detections(),
  };
}

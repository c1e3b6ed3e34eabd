/** Recovered files of the invented world, and runs whose job was lost. */
import type { CanvasNode, CaseDetail, LostJobView, PreviewView, TransferView } from '../generated/contract';
import type { plot } from './cases';
import { iso, NOW, runIdOf } from './queue';

type Plot = ReturnType<typeof plot.of>;

export const OUTPUT = 'out_9v150v08';
/** What our own copy of the one item is asked for by. */
export const savedOf = (p: Plot): string => `saved/1/${p.run}`;
const SAMPLE_RATE = 8000;

/** What is to be seen of the one item; in a review also what becomes of it. */
export function canvasOf(p: Plot, kind?: string, isSaved = false): CanvasNode[] {
  const saved = isSaved && !p.settled ? savedOf(p) : null;
  const there = { text: 'on the node', tone: 'ok' as const, outputId: OUTPUT, previewable: p.settled };
  const now = p.settled && p.recoverable ? there : { text: p.settled ? 'nothing, refunded' : 'nothing', tone: p.settled ? 'info' as const : 'bad' as const, outputId: null, previewable: false };
  const after = kind === 'recover' ? there
    : kind === 'hold' ? { text: 'on hold until 28 Mar 15:20', tone: 'warn' as const, outputId: OUTPUT, previewable: false }
      : kind === 'restore' ? { text: `${p.price} credits back`, tone: 'info' as const, outputId: null, previewable: false } : null;
  return [{ runId: p.run, nodeId: p.node, label: p.nodeLabel, projectId: p.project, project: p.projectName, deleted: false, items: [{ item: 1, saved, now, after }] }];
}

/** A second of a quiet tone as a WAV file: the smallest thing that really plays. */
export function tone(): ArrayBuffer {
  const samples = SAMPLE_RATE;
  const file = new DataView(new ArrayBuffer(44 + samples));
  const word = (at: number, text: string): void => { [...text].forEach((letter, i) => file.setUint8(at + i, letter.charCodeAt(0))); };
  word(0, 'RIFF');
  file.setUint32(4, 36 + samples, true);
  word(8, 'WAVEfmt ');
  file.setUint32(16, 16, true);
  file.setUint16(20, 1, true);
  file.setUint16(22, 1, true);
  file.setUint32(24, SAMPLE_RATE, true);
  file.setUint32(28, SAMPLE_RATE, true);
  file.setUint16(32, 1, true);
  file.setUint16(34, 8, true);
  word(36, 'data');
  file.setUint32(40, samples, true);
  for (let i = 0; i < samples; i += 1) file.setUint8(44 + i, 128 + Math.round(24 * Math.sin((i * 2 * Math.PI * 440) / SAMPLE_RATE)));
  return file.buffer as ArrayBuffer;
}

/** How the copy in the vault fares: whole, not there, changed on the disk, or too long for the window. */
export type FakeFile = 'whole' | 'absent' | 'damaged' | 'long';

export function previewOf(p: Plot, outputId: string, file: FakeFile, hash: string, now: string): PreviewView {
  const saved = outputId === savedOf(p);
  const bytes = file === 'long' ? 412_004_113 : tone().byteLength;
  const sha256 = file === 'damaged' ? hash.replaceAll('1', '7') : hash;
  return {
    outputId, runId: p.run, item: 1, state: saved ? 'saved' : 'stored', tone: 'ok', place: `${p.projectName} / ${p.nodeLabel}`, storedAt: now, bytes, sha256: hash,
    kept: file === 'absent' ? null : { sha256, bytes, mediaType: 'audio/wav', kind: 'audio', intact: file !== 'damaged', checkedAt: now, media: { durationMs: 1000, picture: null, sound: { codec: 'pcm', channels: 1, sampleRate: SAMPLE_RATE } }, fits: file !== 'long', limitBytes: 67_108_864 },
    whyNot: file === 'absent' ? 'the vault can’t read 13/137223a9…: no such file' : null,
    promised: { providerId: 'meridian', providerName: 'meridian', jobId: p.job, bytes, sha256Prefix: hash.slice(0, 16), agrees: file === 'absent' ? null : file !== 'damaged', toldAt: iso(p.finished) },
    brought: saved ? null : { by: 'ana.prata', at: now, key: 'key-of-the-recovery' },
  };
}

export const lostJobOf = (runId: string, now: string): LostJobView => ({
  runId, providerId: 'meridian', providerName: 'meridian', read: 214, isWhole: true, why: null, askedAt: now,
  candidates: [
    { jobId: 'op-lost7c2d1e', state: 'succeeded', createdAt: now, model: 'veo-3.1-generate', proven: true, reasonsFor: ['its prompt is the run’s', 'it ran veo-3.1-generate', 'submitted 3 s from the run’s start'], reasonsAgainst: [] },
    { jobId: 'op-other91aa03', state: 'succeeded', createdAt: now, model: 'veo-3.1-generate', proven: false, reasonsFor: ['it ran veo-3.1-generate'], reasonsAgainst: ['its prompt is another one'] },
  ],
});

/** The case without its job, until somebody finds it again. */
export const withoutJob = (detail: CaseDetail): CaseDetail => ({ ...detail, jobs: [] });

/** The same case, had its credits come back before its file came: the file is given against a new debit only. */
export function lateResult(detail: CaseDetail, settled: boolean): CaseDetail {
  const offer = (kind: 'answer' | 'release' | 'restore', label: string, whyNot: string | null): CaseDetail['offers'][number] => ({ kind, label, primary: kind === 'answer', allowed: whyNot === null, needsReason: false, whyNot });
  const verdict = detail.verdict && { ...detail.verdict, verdict: 'late_result' as const, label: 'Late result', tone: 'info' as const, remedy: 'none_already_refunded' as const, remedyLabel: 'Nothing owed: refunded already', file: { form: 'saved' as const } };
  const canvas = detail.canvas.map((node) => ({ ...node, items: node.items.map((item) => ({ ...item, saved: settled ? null : `saved/${item.item}/${node.runId}` })) }));
  return { ...detail, verdict, canvas, offers: [offer('answer', 'Send the answer', settled ? 'the case is settled' : null), offer('release', 'Release against a new debit', null), offer('restore', 'Restore credits', 'the credits are back already: there is no second remedy (P4)')] };
}

/** Two files on their way: an agent's in the middle, and one of the reconciler's whose length nobody has said. */
export const comingFiles = (): TransferView[] => [
  { actionKey: 'key-of-the-recovery', caseId: 'case-000002', runId: runIdOf('case-000002'), item: 1, providerId: 'meridian', phase: 'downloading', receivedBytes: 18_400_000, totalBytes: 41_333_219, startedAt: NOW, bytesPerSecond: 1_900_000, secondsLeft: 12, canCancel: true },
  { actionKey: null, caseId: null, runId: runIdOf('case-000007'), item: 2, providerId: 'meridian', phase: 'downloading', receivedBytes: 3_100_000, totalBytes: null, startedAt: NOW, bytesPerSecond: 640_000, secondsLeft: null, canCancel: true },
];

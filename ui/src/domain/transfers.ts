/** Files on their way, in words and numbers. */
import type { ActionView, TransferPhase, TransferView } from '../lib/ipc/generated/contract';
import { bytes, span } from './format';

const PHASES: Readonly<Record<TransferPhase, string>> = {
  asking: 'Asking the provider for it', downloading: 'Downloading', verifying: 'Looking into it, and putting it into the vault',
  recording: 'Writing it into the record',
};

export const phaseWord = (phase: TransferPhase): string => PHASES[phase];

/** Part of the file that is here, from 0 to 1; null where nobody has said how long it is. */
export function share(transfer: TransferView): number | null {
  if (transfer.phase !== 'asking' && transfer.phase !== 'downloading') return 1;
  if (transfer.totalBytes === null || transfer.totalBytes <= 0) return null;
  return Math.min(1, transfer.receivedBytes / transfer.totalBytes);
}

/** `12.3 of 41.3 MB`, `12.3 MB so far`. */
export function amount(transfer: TransferView): string {
  return transfer.totalBytes === null ? `${bytes(transfer.receivedBytes)} so far` : `${bytes(transfer.receivedBytes)} of ${bytes(transfer.totalBytes)}`;
}

/** `1.2 MB/s`; empty until it can be told. */
export const rate = (transfer: TransferView): string => (transfer.bytesPerSecond === null ? '' : `${bytes(transfer.bytesPerSecond)}/s`);

/** `about 3 min left`, `a moment left`; empty where it can't be told. */
export function timeLeft(transfer: TransferView): string {
  if (transfer.secondsLeft === null) return '';
  return transfer.secondsLeft < 2 ? 'a moment left' : `about ${span(transfer.secondsLeft * 1000)} left`;
}

/** The act was begun before this program was started, so an earlier run left it in the middle. */
export function resumed(transfer: TransferView, acts: readonly ActionView[], startedAt: string): boolean {
  const act = acts.find((one) => one.key === transfer.actionKey);
  return act !== undefined && Date.parse(act.at) < Date.parse(startedAt);
}

/** All that is under way as one number from 0 to 1; null where a file's length is not known. */
export function together(transfers: readonly TransferView[]): number | null {
  let [here, whole] = [0, 0];
  for (const one of transfers) {
    if (one.totalBytes === null) return null;
    here += Math.min(one.receivedBytes, one.totalBytes);
    whole += one.totalBytes;
  }
  return whole === 0 ? null : here / whole;
}

/** What ending a transfer does, before it is ended. */
export function whatCancelDoes(transfer: TransferView): string {
  const here = transfer.receivedBytes > 0 ? `The ${bytes(transfer.receivedBytes)} that are here are thrown away` : 'Nothing of it is here yet';
  const rest = 'nothing is placed on the canvas, no credits move, and the customer is told nothing.';
  const after = transfer.actionKey === null
    ? 'No act asked for it: it is brought again when its run is looked at again, as long as the provider keeps the file.'
    : 'The file stays at its provider until the provider deletes it. The act ends as it stands and can be reviewed and begun again.';
  return `${here}; ${rest} ${after}`;
}

/** One transfer of one item; what nobody's act began may be under way twice, and began at different times. */
export const keyOf = (transfer: TransferView): string => `${transfer.runId}.${transfer.item}.${transfer.actionKey ?? ''}.${transfer.startedAt}`;

/** The rows with a key each, which no other row has, whatever they are. */
export function keyed(transfers: readonly TransferView[]): { key: string; row: TransferView }[] {
  const seen = new Map<string, number>();
  return transfers.map((row) => {
    const key = keyOf(row);
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    return { key: before === 0 ? key : `${key}#${before}`, row };
  });
}

/** The Billing rows as a person reads them: one charge, and what became of it, with the time it took (R16). */
import type { UsageRow } from '../lib/ipc/generated/contract';

/** A charge with the rows that tell of it, in the order in which they were posted or noticed. */
export interface ChargeRows {
  readonly key: string;
  readonly deduction: UsageRow | undefined;
  readonly rows: readonly UsageRow[];
}

/** The rows of a case by charge. The core tells each charge whole, its deduction first. */
export function byCharge(rows: readonly UsageRow[]): ChargeRows[] {
  const groups: { deduction: UsageRow | undefined; rows: UsageRow[] }[] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (row.kind === 'deduction' || !last) groups.push({ deduction: row.kind === 'deduction' ? row : undefined, rows: [row] });
    else last.rows.push(row);
  }
  return groups.map((group, i) => ({ ...group, key: group.deduction?.id || `rows-${i}` }));
}

/** Milliseconds from the deduction to a later row of the same charge; null where one of them has no instant. */
export function sinceDeduction(charge: ChargeRows, row: UsageRow): number | null {
  const from = charge.deduction?.at;
  if (row.kind === 'deduction' || !from || !row.at) return null;
  const took = Date.parse(row.at) - Date.parse(from);
  return Number.isNaN(took) || took < 0 ? null : took;
}

import { describe, expect, it } from 'vitest';

import { FakeHost } from '../lib/ipc/fake/host';
import type { ReconcileRequest } from '../lib/ipc/generated/contract';
import { HostError, type HostCode } from '../lib/ipc/host';
import { Sweep } from './sweep.svelte';

/** A core whose passes are counted by id; the first tries can fail. */
function watched(...failing: HostCode[]): { sweep: Sweep; ids: string[] } {
  const host = new FakeHost();
  const ids: string[] = [];
  const act = host.act.bind(host);
  host.act = async (cmd, payload) => {
    if (cmd === 'reconcile_now') ids.push((payload as ReconcileRequest).id);
    const code = failing.shift();
    if (code) throw new HostError(code, 'no', true);
    return act(cmd, payload);
  };
  let made = 0;
  return { sweep: new Sweep(host, () => { made += 1; return `pass-id-${made}`; }), ids };
}

describe('a pass asked for at the window', () => {
  it('is asked for once, however often the key is pressed', async () => {
    const { sweep, ids } = watched();
    await Promise.all([sweep.run(0), sweep.run(0), sweep.run(0)]);
    expect(ids).toEqual(['pass-id-1']);
    expect([sweep.running, sweep.result?.finishedAt === null]).toEqual([false, false]);
  });

  it.each(['unreachable', 'internal', 'unavailable'] as const)('without an answer (%s) is asked for again as the same pass', async (code) => {
    const { sweep, ids } = watched(code);
    await sweep.run(0);
    expect([sweep.running, sweep.failed?.code, sweep.result]).toEqual([false, code, undefined]);
    await sweep.run(0);
    expect(ids).toEqual(['pass-id-1', 'pass-id-1']);
    expect([sweep.failed, sweep.result === undefined]).toEqual([undefined, false]);
  });

  it('that was refused, or was done, is followed by a new one', async () => {
    const { sweep, ids } = watched('refused');
    await sweep.run(0);
    await sweep.run(0);
    sweep.dismiss();
    await sweep.run(0);
    expect(ids).toEqual(['pass-id-1', 'pass-id-2', 'pass-id-3']);
  });
});

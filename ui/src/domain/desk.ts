import { getContext, setContext } from 'svelte';

import type { Host } from '../lib/ipc/host';
import { announce } from '../shared/announce/announce.svelte';
import { Connectings } from './connecting.svelte';
import { Drafts } from './drafts.svelte';
import { Reviews } from './review.svelte';
import { Sweep } from './sweep.svelte';
import { Transferring } from './transferring.svelte';

/** What an agent has begun and not finished: it outlives every view. */
export interface Desk {
  readonly drafts: Drafts;
  readonly reviews: Reviews;
  readonly sweep: Sweep;
  readonly connectings: Connectings;
  readonly transferring: Transferring;
}

const KEY = Symbol('desk');

export const provideDesk = (host: Host): Desk => setContext(KEY, {
  drafts: new Drafts(host), reviews: new Reviews(host), sweep: new Sweep(host), connectings: new Connectings(host),
  transferring: new Transferring(host, (words) => announce.tell(words, false)),
});
export const useDesk = (): Desk => getContext<Desk>(KEY);

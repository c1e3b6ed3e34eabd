import { getContext, setContext } from 'svelte';

import type { Host } from '../lib/ipc/host';
import { Drafts } from './drafts.svelte';
import { Reviews } from './review.svelte';

/** What an agent has begun and not finished: it outlives every view. */
export interface Desk {
  readonly drafts: Drafts;
  readonly reviews: Reviews;
}

const KEY = Symbol('desk');

export const provideDesk = (host: Host): Desk => setContext(KEY, { drafts: new Drafts(host), reviews: new Reviews(host) });
export const useDesk = (): Desk => getContext<Desk>(KEY);

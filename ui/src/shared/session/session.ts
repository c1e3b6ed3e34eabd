import { getContext, setContext } from 'svelte';

import type { Facts } from '../facts/facts.svelte';

const KEY = Symbol('facts');

export const provideFacts = (facts: Facts): Facts => setContext(KEY, facts);
export const useFacts = (): Facts => getContext<Facts>(KEY);
